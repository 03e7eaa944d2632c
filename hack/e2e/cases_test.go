package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/hack/lab/run"
)

// Small repositories in which builds went wrong for their users. All are in testdata/cases. What plain dotnet publish
// makes of the whole folder is right, file by file; the rows say what else has to be.
func TestCases(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string // of the folder
		what string // people do there
		is   func(t *testing.T, dir string)
	}{
		{
			"version-file",
			"A file of the repository has the version, and Directory.Build.props reads it.",
			func(t *testing.T, dir string) {
				publishes(plain{project: "src/app/app.csproj", prints: "version 4.7.1"})(t, dir)
				edit(t, dir, "VERSION", "4.7.1", "4.7.2")
				if _, files := publish(t, dir, "publish"); !strings.Contains(files["app.dll"], "4.7.2") {
					t.Error("an edit of the version is not in the app")
				}
			},
		},
		{
			"version-file-by-property",
			"A property names the file that has the version.",
			publishes(plain{project: "src/app/app.csproj", prints: "version 5.2.0"}),
		},
		{
			"relative-import-in-props",
			"Directory.Build.props imports files by paths that begin at itself.",
			publishes(plain{project: "src/app/app.csproj", prints: "both imported"}),
		},
		{
			"restore-config-file",
			"RestoreConfigFile names a nuget.config in another folder.",
			func(t *testing.T, dir string) {
				edit(t, dir, ".nuget/NuGet.Config", "FEED", theLab.FeedURL())
				publishes(plain{project: "src/app/app.csproj", prints: "[1,2]"})(t, dir)
			},
		},
		{
			"lock-file-elsewhere",
			"NuGetLockFilePath names a lock file in another folder, and the project has changed since.",
			func(t *testing.T, dir string) {
				fails("NU1004")(t, dir)
				edit(t, dir, "src/app/app.csproj", "13.0.4", "13.0.3")
				publishes(plain{project: "src/app/app.csproj"})(t, dir)
			},
		},
		{
			"lock-file-one-platform",
			"The lock file is for two runtime identifiers, and one of them is built.",
			publishes(plain{script: "dotnet publish app.csproj -r linux-x64 -p:RestoreLockedMode=true -o /out", run: "./app"}),
		},
		{
			"directory-build-rsp",
			"Directory.Build.rsp sets properties in every build, names files beside it, and another file of switches.",
			publishes(plain{project: "src/app/app.csproj", prints: "pro edition"}),
		},
		{
			"plugins-by-msbuild-task",
			"A target of the app publishes other projects, which the app does not reference.",
			publishes(plain{project: "src/Host/Host.csproj", prints: "plugin says hello"}),
		},
		{
			"dll-beside-dll",
			"An assembly is in the repository, and what it needs is beside it.",
			publishes(plain{project: "src/App/App.csproj", prints: "client of engine"}),
		},
		{
			"solution-with-missing-project",
			"The solution names tests that .dockerignore leaves out.",
			publishes(plain{
				project: "src/App/App.csproj",
				warns:   []string{"MissingProject", "All.sln:4", "tests/App.Tests/App.Tests.csproj"},
			}),
		},
		{
			"apps-of-one-name",
			"Each service has an Api.csproj and a Common.csproj.",
			func(t *testing.T, dir string) {
				for _, app := range []string{"orders", "billing"} {
					publishes(plain{
						project: "services/" + app + "/src/Api/Api.csproj",
						prints:  app + " hello of " + app,
						target:  app + "-publish",
					})(t, dir)
				}
			},
		},
		{
			"artifacts-of-host",
			"The folder artifacts has what a build on Windows left there.",
			publishes(plain{before: "rm -r artifacts", project: "Shop.Web.csproj", prints: "[1,2]"}),
		},
		{
			"x64-only-on-arm64",
			"The app is for x64 alone, and an image for arm64 is asked for.",
			func(t *testing.T, dir string) {
				rec, err := solve(t, dir, platform("linux/arm64"))
				wantContains(t, "what is said", said(rec, err), "x64", "arm64")
			},
		},
		{
			"native-content-by-rid",
			"Conditions on RuntimeIdentifier choose a library of the repository.",
			func(t *testing.T, dir string) {
				out := t.TempDir()
				rec := mustSolve(t, dir, attr("target", "publish"), platform("linux/amd64,linux/arm64"), into(out))
				if strings.Contains(strings.Join(rec.warnings, "\n"), "RuntimeIdentifier") {
					return
				}
				files := tree(t, out)
				for folder, want := range map[string]string{"linux_amd64": "x64", "linux_arm64": "arm64"} {
					if got := strings.TrimSpace(files[folder+"/libshop.so"]); got != want {
						t.Errorf("%s has the library of %q", folder, got)
					}
				}
			},
		},
		{
			"windows-framework-beside",
			"The app has a framework for Windows, too, and the spec names the other.",
			publishes(plain{
				script: "dotnet publish src/App/App.csproj -f net10.0 -p:TargetFrameworks=net10.0 -o /out" + portableFlags,
			}),
		},
		{
			"publish-profile",
			"A publish profile of the project sets the mode, the user and a constant.",
			func(t *testing.T, dir string) {
				publishes(plain{script: "dotnet publish src/app/app.csproj -o /out", run: "./app", prints: "pro edition"})(t, dir)
				wantContains(t, "plan", answerOf(t, dir, "plan", "--platform=linux/amd64"), "single-file", "root")
			},
		},
		{
			"encoding-of-project-file",
			"The project file is not UTF-8, and says so.",
			publishes(plain{project: "src/app/app.csproj", prints: "prices.json"}),
		},
		{
			"solution-dir",
			"A project names a file by $(SolutionDir), and the spec names the solution.",
			publishes(plain{
				script: "dotnet publish Shop.slnx" + portableFlags + " && cp -r src/app/bin/Release/net10.0/publish /out",
				run:    "dotnet app.dll",
				prints: "of the solution",
			}),
		},
		{
			"blazor-client-of-server",
			"A server references its client, which runs in a browser.",
			chooses("Server/Server.csproj"),
		},
		{
			"project-of-another-kind",
			"A reference leads to a project that runs a tool.",
			publishes(plain{project: "app/app.csproj", prints: "native code"}),
		},
		{
			"windows-path-as-source",
			"A source of nuget.config is a folder of Windows.",
			fails("NU1301", "hint:", "folder of Windows"),
		},
		{
			"modules-by-item",
			"A transform of items names the files of modules.",
			publishes(plain{project: "src/app/app.csproj", prints: "Cart.json,Search.json"}),
		},
		{
			"characters-in-paths",
			"Folders have apostrophes, parentheses, ampersands and percent signs.",
			publishes(plain{
				project: "src/Bob's App (R&D)/Bob's App.csproj",
				run:     "dotnet bobs-app.dll",
				prints:  "it's [a] file.txt",
			}),
		},
		{
			"characters-in-reference",
			"The paths of libraries, and of what they publish, have spaces and apostrophes.",
			publishes(plain{
				project: "src/My App/App.csproj",
				prints:  "hello with a space",
				has:     []string{"it's a folder/it's a text.txt"},
			}),
		},
		{
			"error-seen-by-restore-and-describe",
			"A condition in the project file has a mistake.",
			fails("app.csproj(6,", "MSB4"),
		},
		{
			"transitive-aspnet",
			"The app needs ASP.NET Core, as a library that it references does.",
			func(t *testing.T, dir string) {
				repo := repository(t)
				mustSolve(t, dir, platform("linux/amd64"), pushTo(repo))
				wantContains(t, "output", runContainer(t, run.Spec{Ref: repo}).Output, "Microsoft.AspNetCore, Version=10.")
			},
		},
		{
			"exists-decides-path",
			"A property depends on whether a folder is there.",
			publishes(plain{project: "src/app/app.csproj", has: []string{"texts/a.txt"}}),
		},
		{
			"one-bad-project",
			"A project beside the app needs an SDK that nobody has.",
			publishes(plain{project: "app/app.csproj", warns: []string{"broken/broken.csproj"}}),
		},
		{
			"legacy-csproj",
			"Some projects are for .NET Framework or Windows alone.",
			func(t *testing.T, dir string) {
				inits(want{
					says:  []string{"project: app/app.csproj\n", "project: both/both.csproj\n"},
					never: []string{"project: old", "project: net48", "project: desktop", "framework: net48", "of net10.0, net48"},
				})(t, dir)
				remove(t, dir, "both")
				chooses("app/app.csproj")(t, dir)
			},
		},
		{
			"wasm-client",
			"A server references a client that is an app for a browser.",
			chooses("server/server.csproj"),
		},
		{
			"aspire-host",
			"An Aspire host references the app.",
			chooses("web/web.csproj"),
		},
		{
			"mobile-frameworks",
			"Projects are for phones, for Windows or for old versions, too.",
			inits(want{
				says: []string{
					"phone/phone.csproj\n    framework: net10.0", "win/win.csproj\n    framework: net10.0",
					"old/old.csproj\n    framework: net10.0", "web/web.csproj\n",
				},
				never: []string{"framework: net10.0-", "framework: net8.0", "framework: netcoreapp3.1"},
			}),
		},
		{
			"globaljson-x",
			"global.json has a version with an x.",
			publishes(plain{project: "app.csproj", warns: []string{"IgnoredGlobalJSON", "global.json:1", `"10.0.x"`}}),
		},
		{
			"scoped-css-publishes-twice",
			"A page has styles of its own, and the app has large static files.",
			func(t *testing.T, dir string) {
				var large strings.Builder
				for i := range 40_000 {
					fmt.Fprintf(&large, "function f%d() { return %d; }\n", i, i*i)
				}
				write(t, dir, "wwwroot/lib/big.js", large.String())
				publishes(plain{project: "web.csproj"})(t, dir)
				write(t, dir, "More.cs", "static class More { } // "+fresh()+"\n")
				if rec, _ := publish(t, dir, "publish"); rec.count("[publish] dotnet publish") != 1 {
					t.Errorf("after an edit, it ran %q", rec.ran)
				}
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			t.Log(tc.what)
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "cases", tc.name))); err != nil {
				t.Fatal(err)
			}
			tc.is(t, dir)
		})
	}
}

// portableFlags publish a portable app, in one process: other tests keep the other processors busy.
const portableFlags = " -p:UseAppHost=false -p:EnableAppHostPackDownload=false -maxCpuCount:1"

// plain is a plain dotnet publish, and what comes of it.
type plain struct {
	before  string   // a command that makes the folder ready
	project string   // to publish
	script  string   // in the place of publishing project, into /out
	run     string   // starts the app, in the place of its assembly
	prints  string   // what the app prints
	has     []string // some of the files
	target  string   // of the spec, publish by default
	warns   []string // words of the warnings of crosshull
}

func (p plain) dockerfile() string {
	script := p.script
	if script == "" {
		script = fmt.Sprintf("dotnet publish %q -o /out%s", p.project, portableFlags)
	}
	if p.before != "" {
		script = p.before + " && " + script
	}
	start := p.run
	if start == "" {
		start = "dotnet " + strings.TrimSuffix(filepath.Base(p.project), ".csproj") + ".dll"
	}
	if p.prints != "" {
		script += " && cd /out && " + start + " > /printed"
	} else {
		script += " && touch /printed"
	}
	return `FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
` + shortRun + `WORKDIR /source
COPY . .
RUN ` + script + `
FROM scratch
COPY --from=build /out /out/
COPY --from=build /printed /
`
}

// publishes is a test that wants the files of a plain publish.
func publishes(p plain) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		elsewhere, out := t.TempDir(), t.TempDir()
		write(t, elsewhere, "Dockerfile", p.dockerfile())
		build(t, dir, "-f", filepath.Join(elsewhere, "Dockerfile"), "--output", "type=local,dest="+out, ".")
		if printed := strings.TrimSpace(tree(t, out)["printed"]); printed != p.prints {
			t.Fatalf("after a plain publish, the app prints %q", printed)
		}
		target := p.target
		if target == "" {
			target = "publish"
		}
		rec, files := publish(t, dir, target)
		wantSameFiles(t, tree(t, filepath.Join(out, "out")), files, true)
		for _, name := range p.has {
			if _, ok := files[name]; !ok {
				t.Errorf("no %s", name)
			}
		}
		wantContains(t, "warnings", strings.Join(rec.warnings, "\n"), p.warns...)
	}
}

// publish gives the files of a target for linux/amd64.
func publish(t *testing.T, dir, target string) (*record, map[string]string) {
	t.Helper()
	out := t.TempDir()
	rec := mustSolve(t, dir, attr("target", target), platform("linux/amd64"), into(out))
	return rec, tree(t, out)
}

// fails is a test that wants an error with words.
func fails(words ...string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		rec, err := solve(t, dir, platform("linux/amd64"))
		if err == nil {
			t.Fatalf("it builds:\n%s", rec.log)
		}
		wantContains(t, "error", err.Error(), words...)
	}
}

// chooses is a test that wants a project to be the app, though the spec names none.
func chooses(project string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		wantContains(t, "plan", answerOf(t, dir, "plan", "--platform=linux/amd64"), "project    "+project+"\n")
	}
}

// want is words of a text, and words that it never has.
type want struct{ says, never []string }

// inits is a test of the spec that --call=init writes.
func inits(w want) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		spec := answerOf(t, dir, "init")
		wantContains(t, "spec", spec, w.says...)
		for _, word := range w.never {
			if strings.Contains(spec, word) {
				t.Errorf("the spec has %q:\n%s", word, spec)
			}
		}
	}
}

// said is the error or the warnings of a build.
func said(rec *record, err error) string {
	if err != nil {
		return err.Error()
	}
	return strings.Join(rec.warnings, "\n")
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}
