package bench

import (
	"fmt"
	"path/filepath"
	"strings"
)

// What writeLibraries writes: layers of libraries, each of which references three of the layer below; the app
// references the topmost layer. Each library has so many files with so many methods.
const (
	libraryLayers   = 5
	librariesPer    = 10
	libraryFiles    = 20
	libraryMethods  = 28
	libraryProperty = `  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <Nullable>enable</Nullable>
    <ImplicitUsings>enable</ImplicitUsings>
  </PropertyGroup>
`
)

func libraryName(n int) string { return fmt.Sprintf("Lib%02d", n) }

// libraryReferences are the libraries that library n references.
func libraryReferences(n int) []int {
	layer, i := n/librariesPer, n%librariesPer
	if layer == 0 {
		return nil
	}
	var refs []int
	for _, offset := range []int{0, 1, 3} {
		refs = append(refs, (layer-1)*librariesPer+(i+offset)%librariesPer)
	}
	return refs
}

// writeLibraries writes the app and its libraries, the same each time.
func writeLibraries(dir string) error {
	for n := range libraryLayers * librariesPer {
		name, refs := libraryName(n), libraryReferences(n)
		folder := filepath.Join("src", name)
		if err := writeFile(dir, filepath.Join(folder, name+".csproj"), projectFile("Microsoft.NET.Sdk", refs)); err != nil {
			return err
		}
		for f := range libraryFiles {
			if err := writeFile(dir, filepath.Join(folder, fmt.Sprintf("Type%d.cs", f)), librarySource(n, f, refs)); err != nil {
				return err
			}
		}
	}
	var top []int
	for i := range librariesPer {
		top = append(top, (libraryLayers-1)*librariesPer+i)
	}
	for name, content := range map[string]string{
		"App.csproj":       projectFile("Microsoft.NET.Sdk.Web", top),
		"appsettings.json": "{}\n",
		"Program.cs": "var app = WebApplication.CreateBuilder(args).Build();\n" +
			"app.MapGet(\"/\", () => 0" + calls(top, 0, "1") + ");\n" +
			"app.MapGet(\"/version\", () => \"version\");\napp.Run();\n",
	} {
		if err := writeFile(dir, filepath.Join("src", "App", name), content); err != nil {
			return err
		}
	}
	return nil
}

func projectFile(sdk string, refs []int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<Project Sdk=%q>\n%s", sdk, libraryProperty)
	if len(refs) > 0 {
		b.WriteString("  <ItemGroup>\n")
		for _, r := range refs {
			fmt.Fprintf(&b, "    <ProjectReference Include=\"../%[1]s/%[1]s.csproj\" />\n", libraryName(r))
		}
		b.WriteString("  </ItemGroup>\n")
	}
	b.WriteString("</Project>\n")
	return b.String()
}

// calls adds up what type f of every library computes of x.
func calls(refs []int, f int, x string) string {
	var b strings.Builder
	for _, r := range refs {
		fmt.Fprintf(&b, " + %s.Type%d.Compute(%s)", libraryName(r), f, x)
	}
	return b.String()
}

func librarySource(n, f int, refs []int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `namespace %s;

public record Record%d(int Id, string Name, DateTime When);

public static class Type%d
{
    public static int Compute(int x) => x + %d%s;
`, libraryName(n), f, f, n, calls(refs, f, "x"))
	for m := range libraryMethods {
		fmt.Fprintf(&b, `
    public static int Method%d(IEnumerable<int> values, string text)
    {
        var total = values.Where(v => v %% %d == 0).Select(v => v * %d).Sum();
        foreach (var c in text)
        {
            total = unchecked(total * 31 + c);
        }
        return total;
    }
`, m, m+2, m+1)
	}
	b.WriteString("}\n")
	return b.String()
}
