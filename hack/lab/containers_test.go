package lab

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A container of another build that ends while runc lists them is no failure of whoever asks. runc is a stand-in here,
// as only chance makes the real one fail.
func TestContainersAsksAgain(t *testing.T) {
	bin, root := t.TempDir(), t.TempDir()
	script := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(bin, "runc"), []byte("#!/bin/sh\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	script(`cd "$(dirname "$0")"
if mkdir once || mkdir twice; then echo "container does not exist" >&2; exit 1; fi 2>/dev/null
echo '[{"id":"own","status":"stopped","bundle":"` + root + `/x"},
       {"id":"other","status":"running","bundle":"` + root + `2/x"}]'
`)
	got, err := containers(t.Context(), root)
	if want := []Container{{ID: "own", Status: "stopped", Bundle: root + "/x"}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	script(`echo "no such folder" >&2; exit 1`)
	if _, err := containers(t.Context(), root); err == nil || !strings.Contains(err.Error(), "no such folder") {
		t.Errorf("runc fails each time: %v, want its words", err)
	}
}
