package e2e

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// toolTargets are targets of a project that run code of its repository: an inline task, a generator and a command. No
// step before the compile reads that code.
const toolTargets = `  <UsingTask TaskName="Tool" TaskFactory="RoslynCodeTaskFactory"
             AssemblyFile="$(MSBuildToolsPath)/Microsoft.Build.Tasks.Core.dll">
    <Task><Code Type="Class" Language="cs" Source="$(MSBuildThisFileDirectory)../../tools/Tool.cs" /></Task>
  </UsingTask>
  <Target Name="RunTask" BeforeTargets="CoreCompile"><Tool /></Target>
  <Target Name="RunGenerator" BeforeTargets="CoreCompile">
    <Csc Sources="$(MSBuildThisFileDirectory)../../tools/Generator.cs" TargetType="library"
         OutputAssembly="/tmp/Generator.dll" Deterministic="true"
         References="@(ReferencePathWithRefAssemblies);$(RoslynTargetsPath)/bincore/Microsoft.CodeAnalysis.dll" />
    <ItemGroup><Analyzer Include="/tmp/Generator.dll" /></ItemGroup>
  </Target>
  <Target Name="RunCommand" BeforeTargets="BeforeBuild">
    <Exec Command="sh '$(MSBuildThisFileDirectory)../../tools/command.sh'" StandardOutputImportance="high" />
  </Target>
</Project>
`

// writeTools writes the code that toolTargets run. A text that is empty makes code that does nothing.
func writeTools(t *testing.T, dir, task, generator, command string) {
	t.Helper()
	write(t, dir, "tools/Tool.cs", `using System.IO;
public class Tool : Microsoft.Build.Utilities.Task
{
    public override bool Execute() { `+task+` return true; }
}
`)
	write(t, dir, "tools/Generator.cs", `using System.IO;
using Microsoft.CodeAnalysis;
[Generator]
public class Generator : IIncrementalGenerator
{
    public void Initialize(IncrementalGeneratorInitializationContext context) =>
        context.RegisterSourceOutput(context.CompilationProvider, (output, _) => { `+generator+` });
}
`)
	write(t, dir, "tools/command.sh", command+"\n")
}

// replaceKept puts the assemblies that are built so far into the place of every other copy of them that the container
// has, whatever folder it is in.
const replaceKept = `
for made in /source/src/*/obj/Release/net10.0/P?.dll; do
  test -e "$made" || continue
  find / \( -path /proc -o -path /sys -o -path /dev -o -path /source \) -prune -o -type f -path "*${made##*/}*" -print |
  while read -r kept; do
    if [ "$(head -c 2 "$kept")" = MZ ]; then cat "$made" >"$kept"; fi
  done
done
`

// A pull request from a fork has the same projects at the same paths, and may run any code on the builder. The images
// that the repository itself then gets there are those of a builder that has seen neither.
func TestHostileRepository(t *testing.T) {
	t.Parallel()
	const slice = "[publish] dotnet build src/P1/P1.csproj"
	opts := []option{attr("target", "one"), platform("linux/amd64,linux/arm64")}
	victim := chain(t)
	edit(t, victim, "src/P4/P4.csproj", "</Project>", toolTargets)
	writeTools(t, victim, "", "", "")
	edit(t, victim, "crosshull.yaml", "apps:", "publish: {inputs: [tools]}\napps:") // or a script reads everything
	mustSolve(t, victim, opts...)

	replace := `File.WriteAllText("/tmp/replace", @"` + strings.ReplaceAll(replaceKept, `"`, `""`) + `");
        System.Diagnostics.Process.Start("sh", "/tmp/replace").WaitForExit();
        `
	for _, tc := range []struct{ name, task, generator, command string }{
		{name: "task", task: replace + `Log.LogWarning("hostile task");`},
		{name: "generator", generator: replace + `output.ReportDiagnostic(Diagnostic.Create(new DiagnosticDescriptor(
            "H1", "", "hostile generator", "", DiagnosticSeverity.Warning, true), Location.None));`},
		{name: "command", command: replaceKept + "echo hostile command"},
	} {
		hostile := t.TempDir()
		if err := os.CopyFS(hostile, os.DirFS(victim)); err != nil {
			t.Fatal(err)
		}
		writeTools(t, hostile, tc.task, tc.generator, tc.command)
		edit(t, hostile, "src/P1/Number.cs", "Of() => ", "Of() => 1000 + ")
		rec := mustSolve(t, hostile, opts...)
		if rec.count("[restore] dotnet") != 0 || rec.count(slice) != 1 {
			t.Errorf("the hostile %s ran beside other steps than in the victim's build: %q", tc.name, rec.ran)
		}
		wantContains(t, "log", rec.log, "hostile "+tc.name)
	}

	edit(t, victim, "src/P2/Number.cs", "Of() => ", "Of() => 100 + ")
	victims, unspoiled := repository(t), repository(t)
	opts = append(opts, attr("build-arg:SOURCE_DATE_EPOCH", "1700000000"))
	if rec := mustSolve(t, victim, append(opts, pushTo(victims))...); rec.count(slice) != 1 {
		t.Errorf("nothing was compiled: %q", rec.ran)
	}
	_, addr := freshBuildkit(t)
	mustSolve(t, victim, append(opts, pushTo(unspoiled), on(addr))...)
	got, _ := index(t, victims)
	want, _ := index(t, unspoiled)
	for i, m := range want.Manifests {
		if got.Manifests[i].Digest != m.Digest {
			t.Errorf("the image of %s is %s, on a fresh builder %s", m.Platform.Architecture, got.Manifests[i].Digest, m.Digest)
		}
	}
	wantContains(t, "output", container(t, victims).Output, "the sum is 114")
}

// escapes is a script that leaves files and a process wherever it can, and tells if it finds any of another step.
const escapes = `step=$(readlink /proc/1/ns/pid)-$(cut -d ' ' -f 22 /proc/1/stat)
sdk=$(dirname "$(readlink -f "$(command -v dotnet)")")
for dir in / /etc /tmp /usr/local/bin "$HOME" "$sdk" "$sdk"/sdk/*; do
  file=$dir/escaped
  if test -e "$file" && test "$(cat "$file")" != "$step"; then echo "found $file"; fi
  if echo "$step" >"$file"; then echo "left $file"; fi
done 2>/dev/null
ls /run/secrets 2>/dev/null | sed 's/^/found secret /'
setsid sleep MANY >/dev/null 2>&1 </dev/null &
`

// Code of a project writes outside of its folder and into the SDK, and leaves a process running. No later step sees any
// of it, neither of this build nor of the next one, and the image has nothing of it.
func TestEscapes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "app.csproj", "")
	many := strconv.FormatInt(time.Now().UnixNano(), 10)
	write(t, dir, "escape.sh", strings.ReplaceAll(escapes, "MANY", many))
	// Both restore and publish run this target.
	edit(t, dir, "app.csproj", "</Project>", `<Target Name="Escape" BeforeTargets="CollectPackageReferences">
  <Exec Command="sh '$(MSBuildThisFileDirectory)escape.sh'" StandardOutputImportance="high" />
</Target></Project>`)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\npublish: {inputs: [.]}\n")
	for range 2 {
		write(t, dir, "Program.cs", "System.Console.WriteLine(\""+fresh()+"\");\n")
		edit(t, dir, "app.csproj", "<Project", "<!-- "+fresh()+" --><Project")
		rec, files := published(t, dir)
		if rec.count("[restore] dotnet") == 0 || rec.count("[publish] dotnet") != 1 {
			t.Errorf("restore and publish did not run: %q", rec.ran)
		}
		if n := strings.Count(rec.log, "left /tmp/escaped"); n < 2 {
			t.Errorf("the script ran %d times:\n%s", n, rec.log)
		}
		if strings.Contains(rec.log, "found ") {
			t.Errorf("a step found what another left:\n%s", rec.log)
		}
		for name := range files {
			if strings.Contains(name, "escaped") {
				t.Errorf("%s is published", name)
			}
		}
	}
	left, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range left {
		if dt, err := os.ReadFile(name); err == nil && strings.Contains(string(dt), many) {
			t.Errorf("a process of the build still runs: %q", dt)
		}
	}
}
