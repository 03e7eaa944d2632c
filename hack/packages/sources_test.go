package packages

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/crosshull/crosshull/hack/lab/debs"
	"github.com/crosshull/crosshull/llb/apt"
)

// A source is what may be in sources.list.d, with a key beside it.
func TestSources(t *testing.T) {
	program := ready(t)
	files, err := debs.Source(t.Context(), debs.Package{Name: "made", Source: "maker (2)"})
	if err != nil {
		t.Fatal(err)
	}
	archive := t.TempDir()
	for name, dt := range files {
		write(t, archive, name, string(dt))
	}
	// Its content does not matter, as apt is told to trust the source.
	key := filepath.Join(archive, "key.asc")
	write(t, archive, "key.asc", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n")
	stanza := "Types: deb\nURIs: copy:" + archive + "/\nSuites: made/\nTrusted: yes\n"
	for name, text := range map[string]string{
		"a line":                    "deb [trusted=yes] copy:" + archive + "/ made/\n",
		"a line after a comment":    "# made\n\ndeb [trusted=yes] copy:" + archive + "/ made/\n",
		"a stanza":                  stanza,
		"a stanza after a comment":  "# made\n\n" + stanza,
		"a stanza before a comment": stanza + "\n# made\n",
		"two stanzas":               stanza + "\n# made\n" + stanza,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, state := system(t, runtime.GOARCH, nil), t.TempDir()
			err := program.run(t, apt.Resolve, apt.Packages{
				Install: []string{"made"}, Sources: []apt.Source{{Name: "tools", Text: text, Key: "key.asc"}},
			}, map[string]any{"target": root, "state": state, "sources": []any{map[string]any{
				"name": "tools", "text": text, "key": key,
			}}})
			if err != nil {
				t.Fatal(err)
			}
			if all, err := filepath.Glob(state + "/archives/made_*.deb"); err != nil || len(all) != 1 {
				t.Errorf("it gets %q, %v", all, err)
			}
			dt, err := os.ReadFile(filepath.Join(state, apt.ListFile))
			if list, listErr := apt.ParseList(dt); err != nil || listErr != nil || len(list) != 1 ||
				list[0].Name != "made" || list[0].Source != "maker (2)" {
				t.Errorf("it lists %v, %v, %v", list, err, listErr)
			}
		})
	}
}
