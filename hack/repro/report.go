package repro

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/crosshull/crosshull/hack/page"
	"github.com/crosshull/crosshull/hack/repro/diff"
)

// Report is what came of a run.
type Report struct{ Examples []Example }

// Example is what came of the builds of one.
type Example struct {
	Name    string
	Sources []string // images it was built with, each with its digest
	Index   string   // digest of the first build's index
	Layers  []string // digests of the layers of the first build without SOURCE_DATE_EPOCH, each with its platform
	Results []Result
}

// Result compares a variant with the first build.
type Result struct {
	Variant      string
	Index        string // digest
	IndexDiff    []diff.Difference
	LayersDiffer bool
	LayerDiff    []diff.Difference
}

const (
	equal     = "equal"
	different = "DIFFERENT"
)

func (r Result) index(first string) string {
	if r.Index == first {
		return equal
	}
	return different
}

func (r Result) layers() string {
	if r.LayersDiffer {
		return different
	}
	return equal
}

// Equal tells whether all bits are the same.
func (r *Report) Equal() bool {
	for _, e := range r.Examples {
		for _, res := range e.Results {
			if res.Index != e.Index || res.LayersDiffer {
				return false
			}
		}
	}
	return true
}

// differencesShown is how many are shown of a layer, or another part of an image.
const differencesShown = 20

// Write writes a table for every example, for people at a terminal, and below it what differs.
func (r *Report) Write(w io.Writer) error {
	var b bytes.Buffer
	for i, e := range r.Examples {
		if i > 0 {
			b.WriteString("\n")
		}
		if err := e.write(&b); err != nil {
			return err
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (e Example) write(b *bytes.Buffer) error {
	fmt.Fprintf(b, "%s for %s\n", e.Name, Platforms)
	for i, s := range e.Sources {
		fmt.Fprintf(b, "  %-6s %s\n", map[bool]string{true: "from"}[i == 0], s)
	}
	fmt.Fprintf(b, "  index  %s, with SOURCE_DATE_EPOCH\n", e.Index)
	fmt.Fprintf(b, "  layers %d, base included, without SOURCE_DATE_EPOCH\n\n", len(e.Layers))
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) { _, _ = fmt.Fprintln(t, "  "+strings.Join(cells, "\t")) } // Flush has the error
	row("COMPARED WITH THAT", "INDEX", "", "LAYERS")
	for _, res := range e.Results {
		row(res.Variant, res.index(e.Index), short(res.Index), res.layers())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, res := range e.Results {
		for _, part := range []struct {
			what  string
			found []diff.Difference
		}{{"with SOURCE_DATE_EPOCH", res.IndexDiff}, {"without SOURCE_DATE_EPOCH", res.LayerDiff}} {
			if len(part.found) == 0 {
				continue
			}
			fmt.Fprintf(b, "\n%s, %s, %s: first | this\n", e.Name, res.Variant, part.what)
			if err := diff.Write(b, part.found, differencesShown); err != nil {
				return err
			}
		}
	}
	return nil
}

// short is as much of a digest as tells it from others.
func short(digest string) string { return digest[:min(len(digest), 19)] }

// The page that WriteDocs writes into, and the name of the lines between which it does.
const (
	pageName  = "concepts/reproducibility.md"
	pageLines = "repro"
)

// WriteDocs writes the report into its page in a folder, between the lines that are there for it.
func (r *Report) WriteDocs(dir string) error {
	var b bytes.Buffer
	b.WriteString("\n```text\n")
	if err := r.Write(&b); err != nil {
		return err
	}
	b.WriteString("```\n\n")
	return page.Write(filepath.Join(dir, pageName), pageLines, b.String())
}

// layers lists the layers of an index, each after its platform.
func layers(o diff.Object) ([]string, error) {
	idx, ok := o.(v1.ImageIndex)
	if !ok {
		return nil, errors.New("what was built is no index")
	}
	m, err := idx.IndexManifest()
	if err != nil {
		return nil, err
	}
	var out []string
	for _, desc := range m.Manifests {
		img, err := idx.Image(desc.Digest)
		if err != nil {
			return nil, err
		}
		m, err := img.Manifest()
		if err != nil {
			return nil, err
		}
		for _, l := range m.Layers {
			out = append(out, desc.Platform.String()+" "+l.Digest.String())
		}
	}
	return out, nil
}
