package spec

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every message on the page about errors is in the code, with … for what differs.
func TestErrorsPage(t *testing.T) {
	dt, err := os.ReadFile(filepath.Join(docs, "errors.md"))
	if err != nil {
		t.Fatal(err)
	}
	llb := filepath.Join("..", "..", "llb")
	all := append(texts(t, filepath.Join("..", "..", "frontend"), llb), programs(t, llb)...)
	all = append(all, "Unable to locate package ", "Version '' for '' was not found") // apt-get install
	messages := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(string(dt), -1)
	if len(messages) < 50 {
		t.Fatalf("the page has %d messages", len(messages))
	}
	hint := regexp.MustCompile(`^[A-Z]+\d+: hint: `)
	for _, m := range messages {
		text := regexp.QuoteMeta(hint.ReplaceAllString(m[1], ""))
		pattern := regexp.MustCompile("(?s)" + strings.ReplaceAll(text, "…", ".*"))
		if !slices.ContainsFunc(all, pattern.MatchString) {
			t.Errorf("no code says %q", m[1])
		}
	}
}

// programs are the sources of programs in C# in a folder, with string literals that + joins as one.
func programs(t *testing.T, dir string) []string {
	t.Helper()
	joined := regexp.MustCompile(`"\s*\+\s*\$?"`)
	var all []string
	err := filepath.WalkDir(dir, func(name string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".cs" {
			return err
		}
		dt, err := os.ReadFile(name)
		all = append(all, strings.Split(joined.ReplaceAllString(string(dt), ""), ";")...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// texts are the string literals of packages, with those that + joins as one.
func texts(t *testing.T, dirs ...string) []string {
	var all []string
	var text func(e ast.Expr) string
	text = func(e ast.Expr) string {
		switch e := e.(type) {
		case *ast.BasicLit:
			if s, err := strconv.Unquote(e.Value); e.Kind == token.STRING && err == nil {
				return s
			}
		case *ast.BinaryExpr:
			return text(e.X) + text(e.Y)
		}
		return ""
	}
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(name string, _ os.DirEntry, err error) error {
			if err != nil || filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok {
					all = append(all, text(e))
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}
