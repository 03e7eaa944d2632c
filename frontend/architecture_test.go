package frontend

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors are the packages below this one, from the ground up: a package imports those before it alone. The picture in
// docs/concepts/architecture.md is the same.
var floors = []string{
	"printable", "spec", "report", "check", "scaffold", "gateway", "gateway/gatewaytest",
	"request", "tree", "facts", "plan", "plan/plantest", "graph", "dockerfile", "lint", "result", "call",
}

// Imports point downward, so that data goes one way.
func TestImportsPointDownward(t *testing.T) {
	const below = "github.com/crosshull/crosshull/frontend/"
	var found []string
	err := filepath.WalkDir(".", func(name string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return err
		}
		pkg := filepath.ToSlash(filepath.Dir(name))
		if pkg == "." {
			return nil
		}
		if !slices.Contains(found, pkg) {
			found = append(found, pkg)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range file.Imports {
			imported, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			rest, ok := strings.CutPrefix(imported, below)
			if ok && slices.Index(floors, rest) >= slices.Index(floors, pkg) {
				t.Errorf("%s imports %s, which is no floor below it", name, rest)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Sort(found); !slices.Equal(found, slices.Sorted(slices.Values(floors))) {
		t.Errorf("packages %q, want those of floors", found)
	}
}
