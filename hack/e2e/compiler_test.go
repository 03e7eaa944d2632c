package e2e

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// The compiler ignores it if a rule set lacks another one that it includes. So the build has to take both.
func TestIncludedRuleSet(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "src/app/app.csproj", "<CodeAnalysisRuleSet>../../eng/top.ruleset</CodeAnalysisRuleSet>")
	write(t, dir, "src/app/Program.cs", "int unused;\n")
	write(t, dir, "eng/top.ruleset", `<RuleSet Name="top" ToolsVersion="15.0">`+
		`<Include Path="sub/base.ruleset" Action="Default" /></RuleSet>`)
	base := func(action string) {
		write(t, dir, "eng/sub/base.ruleset", `<RuleSet Name="base" ToolsVersion="15.0"><Rules `+
			`AnalyzerId="C#" RuleNamespace="C#"><Rule Id="CS0168" Action="`+action+`" /></Rules></RuleSet>`)
	}
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n")
	base("Warning")
	mustSolve(t, dir, attr("target", "publish"), into(t.TempDir()))
	base("Error")
	if _, err := solve(t, dir, attr("target", "publish"), into(t.TempDir())); err == nil {
		t.Error("the build passed, and the rule set makes a warning of it an error")
	} else {
		wantContains(t, "error", err.Error(), "error CS0168")
	}
}

// A rule set that only CodeAnalysisRuleSetDirectories leads to decides, too.
func TestRuleSetDirectories(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	project(t, dir, "src/app/app.csproj", "<CodeAnalysisRuleSet>team.ruleset</CodeAnalysisRuleSet>"+
		"<CodeAnalysisRuleSetDirectories>../../eng</CodeAnalysisRuleSetDirectories>")
	write(t, dir, "src/app/Program.cs", "int unused;\n")
	write(t, dir, "eng/team.ruleset", `<RuleSet Name="team" ToolsVersion="15.0"><Rules AnalyzerId="C#" `+
		`RuleNamespace="C#"><Rule Id="CS0168" Action="Error" /></Rules></RuleSet>`)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n")
	if _, err := solve(t, dir, attr("target", "publish"), into(t.TempDir())); err == nil {
		t.Error("the build passed, and the rule set makes a warning of it an error")
	} else {
		wantContains(t, "error", err.Error(), "error CS0168")
	}
}

// hasConstant tells whether an assembly has a text as a constant: they are in UTF-16 there.
func hasConstant(assembly []byte, text string) bool {
	var constant []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		constant = binary.LittleEndian.AppendUint16(constant, unit)
	}
	return bytes.Contains(assembly, constant)
}

// A generator of the repository can read files that nothing names. Then the build takes the whole context, and says so.
func TestGeneratorReadsFiles(t *testing.T) {
	t.Parallel()
	for name, reference := range map[string]string{
		"by a reference": `<ProjectReference Include="../gen/gen.csproj" OutputItemType="Analyzer" ` +
			`ReferenceOutputAssembly="false" />`,
		"by the path of its assembly": `<ProjectReference Include="../gen/gen.csproj" ReferenceOutputAssembly="false" />` +
			`<Analyzer Include="../gen/bin/$(Configuration)/net10.0/gen.dll" />`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			generatorReadsFiles(t, reference)
		})
	}
}

func generatorReadsFiles(t *testing.T, reference string) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "src/gen/gen.csproj", `<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup>`+
		`<TargetFramework>net10.0</TargetFramework><EnforceExtendedAnalyzerRules>false</EnforceExtendedAnalyzerRules>`+
		`</PropertyGroup><ItemGroup><Reference Include="$(RoslynTargetsPath)/bincore/Microsoft.CodeAnalysis.dll" `+
		`Private="false" /></ItemGroup><!-- `+fresh()+` --></Project>`)
	write(t, dir, "src/gen/Gen.cs", `using Microsoft.CodeAnalysis;
[Generator]
public class Gen : IIncrementalGenerator
{
    public void Initialize(IncrementalGeneratorInitializationContext context)
    {
        context.RegisterSourceOutput(context.AnalyzerConfigOptionsProvider, (c, options) =>
        {
            options.GlobalOptions.TryGetValue("build_property.Words", out var file);
            var text = System.IO.File.Exists(file + "/text.txt") ? System.IO.File.ReadAllText(file + "/text.txt") : "";
            c.AddSource("Text.g.cs", "static class Text { public const string Value = \"" + text + "\"; }");
        });
    }
}
`)
	project(t, dir, "src/app/app.csproj", "<Words>$(MSBuildThisFileDirectory)../../words</Words>")
	edit(t, dir, "src/app/app.csproj", "</Project>", `<ItemGroup><CompilerVisibleProperty Include="Words" />`+
		reference+`</ItemGroup></Project>`)
	write(t, dir, "src/app/Program.cs", "System.Console.WriteLine(Text.Value);\n")
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n")
	for _, text := range []string{"read at first", "read again"} {
		write(t, dir, "words/text.txt", text)
		out := t.TempDir()
		rec := mustSolve(t, dir, attr("target", "publish"), into(out))
		wantContains(t, "warnings", strings.Join(rec.warnings, "\n"), "generator src/gen/gen.csproj reads files")
		assembly, err := os.ReadFile(filepath.Join(out, "app.dll"))
		if err != nil {
			t.Fatal(err)
		}
		if !hasConstant(assembly, text) {
			t.Errorf("app.dll does not have %q", text)
		}
	}
}
