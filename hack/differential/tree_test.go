package differential

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// A folder has the files of the tree that was written last, and no folder that has become empty.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	for _, tree := range []Tree{
		{"a/b/c.txt": {Data: "1"}, "d.txt": {Data: "2"}, "link": {Link: "d.txt"}},
		{"a/b": {Data: "a folder was here"}, "d.txt": {Data: "2"}},
		{"a/b/c.txt": {Data: "3"}, "d.txt": {Link: "a"}},
		{},
	} {
		if err := tree.Write(dir); err != nil {
			t.Fatal(err)
		}
		got, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		if !maps.Equal(got, tree) {
			t.Errorf("got %v, want %v", got, tree)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// What does not change keeps its time.
func TestWriteKeepsTimes(t *testing.T) {
	dir := t.TempDir()
	tree := Tree{"same.txt": {Data: "1"}, "other.txt": {Data: "1"}}
	if err := tree.Write(dir); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(filepath.Join(dir, "same.txt"))
	if err != nil {
		t.Fatal(err)
	}
	tree["other.txt"] = File{Data: "2"}
	if err := tree.Write(dir); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(filepath.Join(dir, "same.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if !before.ModTime().Equal(after.ModTime()) {
		t.Error("a file that did not change has another time")
	}
}
