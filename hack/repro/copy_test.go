package repro

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A copy has the same names and content; and times, modes and owners of its own.
func TestCopy(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to others")
	}
	src, dst := t.TempDir(), filepath.Join(t.TempDir(), "there", "of it")
	for name, mode := range map[string]fs.FileMode{"a/b/c.txt": 0o644, "a/run.sh": 0o755, "d.txt": 0o644} {
		file := filepath.Join(src, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(name), mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("d.txt", filepath.Join(src, "link")); err != nil {
		t.Fatal(err)
	}
	changed := ""
	r := &runner{change: func(dir string) error { changed = dir; return nil }}
	if err := r.copy(src, dst); err != nil {
		t.Fatal(err)
	}
	if changed != dst {
		t.Errorf("%q was changed, want %q", changed, dst)
	}
	n := 0
	err := filepath.WalkDir(src, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		n++
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		a, err := os.Lstat(path)
		if err != nil {
			return err
		}
		b, err := os.Lstat(filepath.Join(dst, rel))
		if err != nil {
			return err
		}
		if a.Mode().Type() != b.Mode().Type() {
			t.Errorf("%s: %s and %s", rel, a.Mode(), b.Mode())
		}
		if a.Sys().(*syscall.Stat_t).Uid == b.Sys().(*syscall.Stat_t).Uid {
			t.Errorf("%s has the same owner", rel)
		}
		if a.Mode().Type() == fs.ModeSymlink {
			return nil
		}
		if a.Mode() == b.Mode() || a.ModTime().Equal(b.ModTime()) || a.Mode()&0o100 != b.Mode()&0o100 {
			t.Errorf("%s: mode %s and %s, time %s and %s", rel, a.Mode(), b.Mode(), a.ModTime(), b.ModTime())
		}
		if a.Mode().IsRegular() {
			dt, err := os.ReadFile(filepath.Join(dst, rel))
			if err != nil || string(dt) != rel {
				t.Errorf("%s is %q, %v", rel, dt, err)
			}
		}
		return nil
	})
	if err != nil || n != 7 {
		t.Errorf("%d files, %v", n, err)
	}
}
