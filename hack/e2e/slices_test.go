package e2e

import (
	"strings"
	"testing"
)

// chain writes two apps, one of which alone has libraries P1 to P4, over a library Base that both have: two slices.
func chain(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "Directory.Build.props",
		"<Project><PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup><!-- "+fresh()+" --></Project>\n")
	library := func(name, reference string) {
		body := "7"
		if reference != "" {
			body = reference + ".Number.Of()"
			reference = `<ItemGroup><ProjectReference Include="../` + reference + "/" + reference + `.csproj" /></ItemGroup>`
		}
		write(t, dir, "src/"+name+"/"+name+".csproj", `<Project Sdk="Microsoft.NET.Sdk">`+reference+"</Project>\n")
		write(t, dir, "src/"+name+"/Number.cs",
			"namespace "+name+";\npublic static class Number\n{\n    static int unused;\n    public static int Of() => "+body+
				";\n}\n")
	}
	library("Base", "")
	library("P1", "Base")
	library("P2", "P1")
	library("P3", "P1")
	library("P4", "P3")
	for app, references := range map[string][]string{"One": {"P2", "P4"}, "Two": {"Base"}} {
		items, sum := "", "0"
		for _, ref := range references {
			items += `<ProjectReference Include="../` + ref + "/" + ref + `.csproj" />`
			sum += " + " + ref + ".Number.Of()"
		}
		write(t, dir, "src/"+app+"/"+app+".csproj",
			`<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType></PropertyGroup><ItemGroup>`+items+
				"</ItemGroup></Project>\n")
		write(t, dir, "src/"+app+"/Program.cs", "System.Console.WriteLine(\"the sum is \" + ("+sum+"));\n")
	}
	write(t, dir, "crosshull.yaml",
		"# syntax=ghcr.io/crosshull/crosshull:1\napps: {one: {project: src/One}, two: {project: src/Two}}\n")
	return dir
}

// An edit compiles what it must: the app alone, or a slice and the apps, or what depends on what others see of it.
//
// It takes over a minute: seven builds of a repository with slices, one after another.
func TestSlicesOfAnEdit(t *testing.T) {
	t.Parallel()
	const (
		base  = "[publish] dotnet build src/Base/Base.csproj"
		own   = "[publish] dotnet build src/P1/P1.csproj src/P2/P2.csproj src/P3/P3.csproj src/P4/P4.csproj"
		app   = "[publish] dotnet publish src/One/One.csproj"
		early = "[restore] dotnet"
	)
	dir := chain(t)
	ran := func(what string, want map[string]int, opts ...option) *record {
		t.Helper()
		rec := mustSolve(t, dir, append(opts, attr("target", "one"))...)
		for _, prefix := range []string{early, "[describe] dotnet", base, own, app} {
			if n := rec.count(prefix); n != want[prefix] {
				t.Errorf("%s: %s ran %d times, want %d: %q", what, prefix, n, want[prefix], rec.ran)
			}
		}
		return rec
	}
	first := ran("at first", map[string]int{early: 1, "[describe] dotnet": 1, base: 1, own: 1, app: 1})
	for _, name := range []string{"Base", "P1", "P2", "P3", "P4"} { // each is compiled: the compiler warns of its field
		wantContains(t, "log", first.log, "src/"+name+"/Number.cs(4,16): warning CS0169")
	}

	edit(t, dir, "src/One/Program.cs", "the sum is", "in all it is")
	ran("a line of the app", map[string]int{app: 1})
	edit(t, dir, "src/Base/Number.cs", "7", "8")
	ran("the body of a method, deep down", map[string]int{base: 1, app: 1})
	edit(t, dir, "src/Base/Number.cs", "public static int Of", "public static int More() => 1;\n    public static int Of")
	ran("what others see of a library", map[string]int{base: 1, own: 1, app: 1})

	edit(t, dir, "src/P2/Number.cs", "Of() => ", "Of() => 100 + ")
	repo := repository(t)
	ran("the body of a method in a slice of four", map[string]int{own: 1, app: 1}, pushTo(repo))
	wantContains(t, "output", container(t, repo).Output, "in all it is 116")

	write(t, dir, ".editorconfig", "root = true\n[*.cs]\ndotnet_diagnostic.CS0169.severity = error\n")
	if rec, err := solve(t, dir, attr("target", "one")); err == nil || !strings.Contains(rec.log, "error CS0169") {
		t.Errorf("a severity in .editorconfig has no effect: %v\n%s", err, rec.log)
	}
}
