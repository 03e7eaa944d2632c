package repro

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/hack/page"
	"github.com/crosshull/crosshull/hack/repro/diff"
)

func testReport() *Report {
	a, b := "sha256:"+strings.Repeat("a", 64), "sha256:"+strings.Repeat("b", 64)
	layers := []string{"linux/amd64 " + a, "linux/arm64 " + a}
	return &Report{[]Example{
		{Name: "one", Sources: []string{"base:1@" + a, "sdk:1@" + b}, Index: a, Layers: layers,
			Results: []Result{{Variant: "the same again", Index: a}}},
		{Name: "two", Sources: []string{"sdk:1@" + b}, Index: a, Layers: layers, Results: []Result{
			{Variant: "the same again", Index: a},
			{Variant: "a git context", Index: b,
				IndexDiff: []diff.Difference{{Path: []string{"linux/amd64", "layer 2", "app/app.dll", "mode"}, A: "0644",
					B: "0600"}},
				LayersDiffer: true,
				LayerDiff: []diff.Difference{{Path: []string{"linux/amd64", "layer 2", "app/app.dll", "owner"}, A: "0:0",
					B: "1:0"}},
			},
		}},
	}}
}

const wantReport = `one for linux/amd64,linux/arm64
  from   base:1@sha256:A
         sdk:1@sha256:B
  index  sha256:A, with SOURCE_DATE_EPOCH
  layers 2, base included, without SOURCE_DATE_EPOCH

  COMPARED WITH THAT  INDEX                       LAYERS
  the same again      equal  sha256:aaaaaaaaaaaa  equal

two for linux/amd64,linux/arm64
  from   sdk:1@sha256:B
  index  sha256:A, with SOURCE_DATE_EPOCH
  layers 2, base included, without SOURCE_DATE_EPOCH

  COMPARED WITH THAT  INDEX                           LAYERS
  the same again      equal      sha256:aaaaaaaaaaaa  equal
  a git context       DIFFERENT  sha256:bbbbbbbbbbbb  DIFFERENT

two, a git context, with SOURCE_DATE_EPOCH: first | this
linux/amd64: layer 2: app/app.dll: mode: 0644 | 0600

two, a git context, without SOURCE_DATE_EPOCH: first | this
linux/amd64: layer 2: app/app.dll: owner: 0:0 | 1:0
`

func TestReport(t *testing.T) {
	want := strings.NewReplacer("sha256:A", "sha256:"+strings.Repeat("a", 64), "sha256:B",
		"sha256:"+strings.Repeat("b", 64)).Replace(wantReport)
	var out bytes.Buffer
	if err := testReport().Write(&out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
	dir := t.TempDir()
	if err := testReport().WriteDocs(dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, pageName))
	if err != nil || string(got) != "<!-- repro:begin -->\n\n```text\n"+want+"```\n\n<!-- repro:end -->\n" {
		t.Errorf("page is\n%s%v", got, err)
	}
}

func TestEqual(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Report)
		want   bool
	}{
		{"all equal", func(r *Report) { r.Examples = r.Examples[:1] }, true},
		{"all differs", func(*Report) {}, false},
		{"layers differ", func(r *Report) { r.Examples[1].Results[1].Index = r.Examples[1].Index }, false},
		{"index differs", func(r *Report) { r.Examples[1].Results[1].LayersDiffer = false }, false},
	} {
		r := testReport()
		tc.change(r)
		if r.Equal() != tc.want {
			t.Errorf("%s: got %v", tc.name, r.Equal())
		}
	}
}

// The page of the docs has its lines.
func TestPageOfDocs(t *testing.T) {
	if err := page.Check(filepath.Join("..", "..", "docs", pageName), pageLines); err != nil {
		t.Error(err)
	}
}
