package dotnet

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	digest "github.com/opencontainers/go-digest"
)

var update = flag.Bool("update", false, "write golden files")

// recorded is what restore of SDK 10.0.401 left.
func recorded(t *testing.T, name string) *PackagesGraph {
	t.Helper()
	dt, err := os.ReadFile(filepath.Join("testdata", "sbom", name+".assets.json"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := ParseAssets(dt)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestSPDX(t *testing.T) {
	epoch := time.Unix(1700000000, 0)
	// These are the values of the package, whose hash includes the signature.
	facts := Files{
		"newtonsoft.json/13.0.4/newtonsoft.json.nuspec": []byte("\ufeff<?xml version=\"1.0\" " +
			"encoding=\"utf-8\"?>\n" +
			"<package xmlns=\"http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd\"><metadata><id>Newtonsoft.Json</id>" +
			"<license type=\"expression\">MIT</license></metadata></package>"),
		"newtonsoft.json/13.0.4/newtonsoft.json.13.0.4.nupkg.sha512": []byte("bR+v+E/yJ6g7GV2uXw2OrUSjYYfj" +
			"LkOLC8JD4kCS23msLapnKtdJPBJA75fwHH++ErIffeIqzYITLxAur4KAXA=="),
	}
	sdk := Image{Name: "mcr.microsoft.com/dotnet/sdk", Tag: "10.0", Version: "10.0.401", Platform: "linux/amd64",
		Pinned: digest.FromString("sdk")}
	for _, tc := range []struct {
		name, assets string
		sbom         SBOM
	}{
		{"portable", "portable", SBOM{
			App:      &App{Path: "src/app/app.csproj", Output: Output{AssemblyName: "app"}, TargetFramework: "net10.0"},
			Platform: "linux/arm/v7", RID: "linux-arm",
			Base: Image{Name: "mcr.microsoft.com/dotnet/runtime", Tag: "10.0", Platform: "linux/arm/v7",
				Pinned: digest.FromString("index"), Manifest: digest.FromString("manifest")},
			System: []SystemPackage{{Name: "libstdc++6", Version: "12.2.0-14+deb12u1", SHA256: digest.FromString("a").Encoded(),
				PURL: "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=armhf&distro=debian-12"}},
		}},
		{"trimmed", "trimmed", SBOM{
			App:      &App{Path: "trimmed.csproj", TargetFramework: "net10.0", Mode: SelfContained | SingleFile | Trimmed},
			Platform: "linux/arm64", RID: "linux-arm64",
			Base: Image{Name: "docker.io/library/debian", Tag: "12", Platform: "linux/arm64",
				Pinned: digest.FromString("index")},
			Created: &epoch,
		}},
		{"aot", "aot", SBOM{
			App: &App{Path: "aot.csproj", Output: Output{AssemblyName: "aot"}, TargetFramework: "net10.0",
				Mode: SelfContained | Aot},
			Platform: "linux/amd64", RID: "linux-x64",
			Base: Image{Name: "registry.example.com/own/base", Platform: "linux/amd64"},
			Tools: []Image{{Name: "mcr.microsoft.com/dotnet/sdk", Tag: "10.0-aot", Platform: "linux/amd64",
				Pinned: digest.FromString("aot")}},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.sbom.Graph, tc.sbom.Facts = recorded(t, tc.assets), facts
			tc.sbom.Tools = append([]Image{sdk}, tc.sbom.Tools...)
			got, err := SPDX(tc.sbom)
			if err != nil {
				t.Fatal(err)
			}
			for range 25 {
				again, err := SPDX(tc.sbom)
				if err != nil || string(again) != string(got) {
					t.Fatalf("the same parts give another document: %v\n%s", err, again)
				}
			}
			file := filepath.Join("testdata", "sbom", tc.name+".spdx.json")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != string(want) {
				t.Errorf("differs from %s (-update writes it):\n%s", file, got)
			}
			for _, place := range []string{"/source", "/nuget/", "127.0.0.1", "http://"} { // restore left all of them
				if strings.Contains(string(got), place) {
					t.Errorf("the document has %q", place)
				}
			}
		})
	}
}

// Two platforms have two documents, with different namespaces.
func TestSPDXNamespace(t *testing.T) {
	s := SBOM{App: &App{Path: "aot.csproj", TargetFramework: "net10.0", Mode: SelfContained | Aot},
		Graph: recorded(t, "aot")}
	namespace := func(rid string) string {
		s.RID = rid
		dt, err := SPDX(s)
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(dt), `"documentNamespace": "`)
		ns, _, _ := strings.Cut(after, `"`)
		return ns
	}
	if a, b := namespace("linux-x64"), namespace("linux-arm64"); a == b || !strings.HasPrefix(a, "https://") {
		t.Errorf("namespaces %s and %s", a, b)
	}
}

// If restore was not asked for a platform, the result is an error, not an empty document.
func TestSPDXWithoutTarget(t *testing.T) {
	g := recorded(t, "aot")
	for _, tc := range []struct {
		app       App
		rid, want string
	}{
		{App{Path: "aot.csproj", TargetFramework: "net9.0"}, "linux-x64",
			"project.assets.json of aot.csproj has no target for framework net9.0"},
		{App{Path: "aot.csproj", TargetFramework: "net10.0", Mode: SelfContained}, "linux-musl-x64",
			"project.assets.json of aot.csproj has no packages for net10.0, linux-musl-x64"},
	} {
		if _, err := SPDX(SBOM{App: &tc.app, RID: tc.rid, Graph: g}); err == nil ||
			err.Error() != Bug(errors.New(tc.want)).Error() {
			t.Errorf("got %v, want %s", err, tc.want)
		}
	}
	if _, err := ParseAssets([]byte("{")); err == nil {
		t.Error("half a file is no error")
	}
}

// components writes the components of a graph as text. A shipped component has its needs, and a star if the app names
// it. One for the build alone is in parentheses.
func components(t *testing.T, g *PackagesGraph, app *App, rid string) string {
	t.Helper()
	all, err := g.components(app, rid)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range all {
		s := c.name
		if c.direct {
			s += "*"
		}
		if !c.shipped {
			s = "(" + s + ")"
		}
		for i, need := range c.needs {
			name, _, _ := strings.Cut(need, "/")
			if i == 0 {
				s += " →"
			}
			s += " " + name
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func TestComponents(t *testing.T) {
	graph := func(framework, packages, more string) string {
		return fmt.Sprintf(`{"targets": {"net8.0": {%[2]s}, "net8.0/linux-x64": {%[2]s}},
			"projectFileDependencyGroups": {"net8.0": ["A >= 1.0.0"]},
			"project": {"version": "1.0.0", "frameworks": {"net8.0": {
				"targetAlias": "net8.0", "frameworkReferences": {%[1]s} %[3]s}}}}`, framework, packages, more)
	}
	const core = `"Microsoft.NETCore.App": {"privateAssets": "all"}`
	const runs = `"type": "package", "runtime": {"lib/net8.0/x.dll": {}}`
	downloads := func(names ...string) string {
		var all []string
		for _, name := range names {
			all = append(all, `{"name": "`+name+`", "version": "[8.0.1, 8.0.1]"}`)
		}
		return `, "downloadDependencies": [` + strings.Join(all, ", ") + `]`
	}
	for _, tc := range []struct {
		name, graph string
		mode        Mode
		want        string
	}{
		{"a chain, whatever the case of names",
			graph(core, `"A/1.0.0": {`+runs+`, "dependencies": {"b": "1.0.0"}}, "B/2.0.0": {`+runs+`}`, ""), Portable,
			"A* → B, B"},
		{"what the framework has in its place",
			graph(core, `"A/1.0.0": {`+runs+`, "dependencies": {"System.Text.Json": "8.0.0"}}`, ""), Portable, "A*"},
		{"a package of packages",
			graph(core,
				`"A/1.0.0": {"type": "package", "runtime": {"lib/net8.0/_._": {}}, "dependencies": {"B": "1.0.0"}}, "B/1.0.0": {`+
					runs+`}`, ""), Portable, "A* → B, B"},
		{"an analyzer",
			graph(core,
				`"A/1.0.0": {"type": "package", "build": {"build/A.props": {}}, "dependencies": {"B": "1.0.0"}}, `+
					`"B/1.0.0": {"type": "package"}`, ""), Portable, "(A), (B)"},
		{"to compile against", graph(core, `"A/1.0.0": {"type": "package", "compile": {"ref/net8.0/A.dll": {}}}`, ""),
			Portable, "(A)"},
		{"files of this platform",
			graph(core,
				`"A/1.0.0": {"type": "package", "runtimeTargets": {"runtimes/linux/native/a.so": {"assetType": "native", `+
					`"rid": "linux"}}}`, ""), Portable, "A*"},
		{"files of other platforms",
			graph(core,
				`"A/1.0.0": {"type": "package", "runtimeTargets": {"runtimes/win/lib/a.dll": {"assetType": "runtime", `+
					`"rid": "win"}, "runtimes/linux-arm64/native/a.so": {"assetType": "native", "rid": "linux-arm64"}}}`, ""),
			Portable, "(A)"},
		{"machine code", graph(core, `"A/1.0.0": {"type": "package", "native": {"runtimes/linux-x64/native/a.so": {}}}`, ""),
			SingleFile, "A*"},
		{"translations",
			graph(core, `"A/1.0.0": {"type": "package", "resource": {"lib/net8.0/de/A.resources.dll": {"locale": "de"}}}`, ""),
			Portable, "A*"},
		{"sources",
			graph(core,
				`"A/1.0.0": {"type": "package", "contentFiles": {"contentFiles/cs/any/A.cs": {"buildAction": "Compile", `+
					`"copyToOutput": false}}}`, ""), Portable, "A*"},
		{"content",
			graph(core,
				`"A/1.0.0": {"type": "package", "contentFiles": {"contentFiles/any/any/a.txt": {"buildAction": "None", `+
					`"copyToOutput": true}}}`, ""), Portable, "A*"},
		{"content that stays",
			graph(core,
				`"A/1.0.0": {"type": "package", "contentFiles": {"contentFiles/any/any/_._": {"buildAction": "None", `+
					`"copyToOutput": false}, "contentFiles/any/any/a.txt": {"buildAction": "None"}}}`, ""), Portable, "(A)"},
		{"a project", graph(core, `"A/1.0.0": {"type": "project", "runtime": {"bin/placeholder/A.dll": {}}}`, ""), Portable,
			"A*"},
		{"what nobody names", graph(core, `"B/1.0.0": {`+runs+`, "dependencies": {"C": "1.0.0"}}, "C/1.0.0": {`+runs+`}`, ""),
			Portable, "B* → C, C"},
		{"packs of a portable app", graph(core, "", downloads("Microsoft.NETCore.App.Ref")), Portable,
			"(Microsoft.NETCore.App.Ref)"},
		{"packs of a launcher",
			graph(core, "", downloads("Microsoft.NETCore.App.Host.linux-arm64", "Microsoft.NETCore.App.Host.linux-x64")),
			AppHost, "Microsoft.NETCore.App.Host.linux-x64*"},
		{"packs of a self-contained app",
			graph(core, "",
				downloads("Microsoft.AspNetCore.App.Runtime.linux-x64", "Microsoft.NETCore.App.Runtime.linux-arm64",
					"Microsoft.NETCore.App.Runtime.linux-x64", "Microsoft.NETCore.App.Crossgen2.linux-x64")), SelfContained,
			"(Microsoft.NETCore.App.Crossgen2.linux-x64), Microsoft.NETCore.App.Runtime.linux-x64*"},
		{"packs that a package asks for",
			graph(core, `"A/1.0.0": {`+runs+`, "frameworkReferences": ["Microsoft.AspNetCore.App"]}`,
				downloads("Microsoft.AspNetCore.App.Runtime.linux-x64", "Microsoft.NETCore.App.Runtime.linux-x64")), SelfContained,
			"A*, Microsoft.AspNetCore.App.Runtime.linux-x64*, Microsoft.NETCore.App.Runtime.linux-x64*"},
		{"packs of AOT",
			graph(core, "",
				downloads("Microsoft.NETCore.App.Runtime.linux-x64", "Microsoft.NETCore.App.Runtime.NativeAOT.linux-x64",
					"runtime.linux-x64.Microsoft.DotNet.ILCompiler", "Microsoft.NETCore.App.Host.linux-x64")), SelfContained | Aot,
			"Microsoft.NETCore.App.Runtime.NativeAOT.linux-x64*, (runtime.linux-x64.Microsoft.DotNet.ILCompiler)"},
		{"packs of AOT till .NET 8",
			graph(core,
				`"runtime.linux-x64.Microsoft.DotNet.ILCompiler/8.0.1": {"type": "package"}, `+
					`"Microsoft.DotNet.ILCompiler/8.0.1": {"type": "package", `+
					`"dependencies": {"runtime.linux-x64.Microsoft.DotNet.ILCompiler": "8.0.1"}}`,
				downloads("runtime.linux-x64.Microsoft.DotNet.ILCompiler")), SelfContained | Aot,
			"(Microsoft.DotNet.ILCompiler), runtime.linux-x64.Microsoft.DotNet.ILCompiler*"},
	} {
		g, err := ParseAssets([]byte(tc.graph))
		if err != nil {
			t.Fatalf("%s: %v", tc.name, err)
		}
		if got := components(t, g, &App{Path: "app.csproj", TargetFramework: "net8.0", Mode: tc.mode},
			"linux-x64"); got != tc.want {
			t.Errorf("%s:\n got %s\nwant %s", tc.name, got, tc.want)
		}
	}
}

// A project can ask for a pack in several versions (PackageDownload). Each build of a document has the same one.
func TestPackInTwoVersions(t *testing.T) {
	const pack = "Microsoft.NETCore.App.Runtime.linux-x64"
	g, err := ParseAssets([]byte(`{"targets": {"net8.0": {}, "net8.0/linux-x64": {}}, "project": {"frameworks": {
		"net8.0": {"frameworkReferences": {"Microsoft.NETCore.App": {}}, "downloadDependencies": [
			{"name": "` + pack + `", "version": "[8.0.1, 8.0.1]"}, {"name": "` + pack + `", "version": "[8.0.0, 8.0.0]"}]}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	app := &App{Path: "app.csproj", TargetFramework: "net8.0", Mode: SelfContained}
	for range 20 {
		all, err := g.components(app, "linux-x64")
		if err != nil || len(all) != 2 || all[0].shipped || !all[1].shipped || all[1].version != "8.0.1" {
			t.Fatalf("got %+v, %v, want only 8.0.1 shipped", all, err)
		}
	}
}

// Older frameworks have different names in the graph and in the project.
func TestLongFrameworkName(t *testing.T) {
	g, err := ParseAssets([]byte(`{"targets": {".NETCoreApp,Version=v3.1": {
			"A/1.0.0": {"type": "package", "runtime": {"lib/netstandard2.0/A.dll": {}}}}},
		"projectFileDependencyGroups": {".NETCoreApp,Version=v3.1": ["A >= 1.0.0"]},
		"project": {"frameworks": {"netcoreapp3.1": {"targetAlias": "netcoreapp3.1"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := components(t, g, &App{TargetFramework: "netcoreapp3.1"}, "linux-x64"); got != "A*" {
		t.Errorf("got %s", got)
	}
}

// Names that SPDX writes the same way are still two things.
func TestSPDXIDs(t *testing.T) {
	ids := spdxIDs{}
	var got []string
	for _, name := range []string{"A_B", "A-B", "A.B"} {
		got = append(got, ids.add(name, "1.0.0"))
	}
	got = append(got, ids.add("App"))
	if want := []string{"SPDXRef-A-B-1.0.0", "SPDXRef-A-B-1.0.0-", "SPDXRef-A.B-1.0.0", "SPDXRef-App-"}; !slices.Equal(got,
		want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLicense(t *testing.T) {
	for nuspec, want := range map[string]string{
		`<license type="expression">MIT OR Apache-2.0 WITH LLVM-exception</license>`: "MIT OR Apache-2.0 WITH LLVM-exception",
		`<license type="file">LICENSE.txt</license>`:                                 noAssertion,
		`<license type="expression">LicenseRef-Own</license>`:                        noAssertion,
		`<license type="expression">&quot;MIT</license>`:                             noAssertion,
		`<licenseUrl>https://example.com/MIT</licenseUrl>`:                           noAssertion,
	} {
		if got := license([]byte("<package><metadata>" + nuspec + "</metadata></package>")); got != want {
			t.Errorf("%s: %s, want %s", nuspec, got, want)
		}
	}
	if got := license(nil); got != noAssertion {
		t.Errorf("no nuspec: %s", got)
	}
}
