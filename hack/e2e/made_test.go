package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// words gives a target that makes a source of schema/words.txt, with attributes that name both, and with more tasks.
func words(attributes, tasks string) string {
	return `<ItemGroup><Schema Include="../../schema/words.txt" To="Words" /></ItemGroup>` +
		`<Target Name="Words" BeforeTargets="BeforeCompile;CoreCompile" ` + attributes + `>` +
		`<ReadLinesFromFile File="../../schema/words.txt">` +
		`<Output TaskParameter="Lines" PropertyName="Words" /></ReadLinesFromFile>` + tasks +
		`<WriteLinesToFile File="Words.cs" Lines="class Words { public const string All = &quot;$(Words)&quot;%3B }" ` +
		`Overwrite="true" /></Target>`
}

// What a target makes and the repository has too is made anew after an edit of what it is made from. If that fails,
// the repository's is taken.
func TestMadeSources(t *testing.T) {
	t.Parallel()
	const plain, fails = `Inputs="../../schema/words.txt" Outputs="Words.cs"`, `<Exec Command="dotnet no-such-tool" />`
	for _, tc := range []struct {
		name              string
		libraries         int // of which the first has the target; none: the app has it
		attributes, tasks string
		made              bool // or else the repository's is taken, and there is no edit to look for
	}{
		{"of the app", 0, plain, "", true},
		{"of a library that is compiled apart", 4, plain, "", true},
		{"of items", 0, `Inputs="@(Schema)" Outputs="@(Schema->'%(To).cs')"`, "", true},
		{"of each item", 0, `Inputs="@(Schema)" Outputs="%(Schema.To).cs"`, "", true},
		{"by a command that fails", 0, plain, fails, false},
		{"by a program that the SDK lacks", 0, plain, `<Exec Command="no-such-program" />`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			project(t, dir, "src/app/app.csproj", "")
			maker := "app"
			for i := range tc.libraries {
				name := fmt.Sprintf("L%d", i+1)
				project(t, dir, "src/"+name+"/"+name+".csproj", "<OutputType>Library</OutputType>")
				write(t, dir, "src/"+name+"/Program.cs", "")
				edit(t, dir, "src/app/app.csproj", "</Project>",
					`<ItemGroup><ProjectReference Include="../`+name+"/"+name+`.csproj" /></ItemGroup></Project>`)
				maker = "L1"
			}
			folder := "src/" + maker + "/"
			edit(t, dir, folder+maker+".csproj", "</Project>", words(tc.attributes, tc.tasks)+"</Project>")
			write(t, dir, folder+"Use.cs", "public class Use { public string Of() => Words.All; }")
			write(t, dir, folder+"Words.cs", `class Words { public const string All = "words old"; }`)
			write(t, dir, "schema/words.txt", "words one")
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n")
			build := func(want string) *record {
				t.Helper()
				out := t.TempDir()
				rec := mustSolve(t, dir, attr("target", "publish"), into(out))
				dt, err := os.ReadFile(filepath.Join(out, maker+".dll"))
				if err != nil || !hasConstant(dt, want) {
					t.Errorf("%s has no %q: %v", maker, want, err)
				}
				return rec
			}
			want := "words old"
			if tc.made {
				build("words one")
				edit(t, dir, "schema/words.txt", "one", "two")
				want = "words two"
			}
			rec := build(want)
			warns := strings.Contains(strings.Join(rec.warnings, ""), "that the context also has, so the build used those")
			if warns != (tc.tasks == fails) {
				t.Errorf("warnings: %q", rec.warnings)
			}
		})
	}
}
