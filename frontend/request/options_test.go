package request

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerui"
)

// Everything that dockerui parses out of a user's options is in the table: none is ignored in silence.
func TestOptionsOfConfig(t *testing.T) {
	config := reflect.TypeFor[dockerui.Config]()
	var fields []string
	for i := range config.NumField() {
		field := config.Field(i).Name
		fields = append(fields, field)
		_, elsewhere := optionsElsewhere[field]
		option := slices.ContainsFunc(Options, func(o Option) bool { return o.Field == field })
		if option == elsewhere {
			t.Errorf("dockerui.Config.%s is in Options (%v) or in optionsElsewhere (%v), and has to be in one of them", field,
				option, elsewhere)
		}
	}
	for _, o := range Options {
		if o.Field != "" && !slices.Contains(fields, o.Field) {
			t.Errorf("%s: dockerui.Config has no %s", o.Name, o.Field)
		}
		if o.Does == "" || !slices.Contains([]string{ByCrosshull, ByBuildKit, ByBuildx}, o.By) {
			t.Errorf("%s: done by %q: %q", o.Name, o.By, o.Does)
		}
	}
	if !slices.IsSortedFunc(Options, func(a, b Option) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("the options are not sorted")
	}
}

var update = flag.Bool("update", false, "write the table in docs/reference/options.md")

// The page has the table as it is here.
func TestOptionsInDocs(t *testing.T) {
	const begin, end = "<!-- options:begin -->\n", "<!-- options:end -->"
	page := filepath.Join("..", "..", "docs", "reference", "options.md")
	dt, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(dt), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", page)
	}
	var table strings.Builder
	table.WriteString("\n| option | done by | |\n|---|---|---|\n")
	for _, o := range Options {
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", o.Name, o.By, o.Does)
	}
	table.WriteString("\n")
	want := before + begin + table.String() + end + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(dt) != want {
		t.Error("docs/reference/options.md has another table: go test ./frontend/request -update writes it")
	}
}
