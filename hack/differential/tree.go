package differential

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"
)

// Tree is the files of a folder by their paths, which have slashes.
type Tree map[string]File

// File is a file, or a symbolic link if it has a target.
type File struct {
	Data string
	Link string
}

// Names are the sorted paths, so that a number always draws the same one.
func (t Tree) Names() []string { return slices.Sorted(maps.Keys(t)) }

// With gives the files of both; those of more win.
func (t Tree) With(more Tree) Tree {
	both := maps.Clone(t)
	maps.Copy(both, more)
	return both
}

// dirs are the folders that have a file somewhere below them, in order; "." is one.
func (t Tree) dirs() []string {
	seen := map[string]bool{}
	for name := range t {
		for dir := path.Dir(name); !seen[dir]; dir = path.Dir(dir) {
			seen[dir] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Write makes dir have these files and no others. Files that are the same keep their times, as in a checkout.
func (t Tree) Write(dir string) error {
	there, err := Read(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for name := range there {
		if _, ok := t[name]; !ok {
			if err := remove(dir, name); err != nil {
				return err
			}
		}
	}
	now := time.Now()
	for _, name := range t.Names() {
		if old, ok := there[name]; ok && old == t[name] {
			continue
		}
		if err := t[name].write(filepath.Join(dir, filepath.FromSlash(name)), now); err != nil {
			return err
		}
	}
	return nil
}

// remove removes a file and the folders that it leaves empty.
func remove(dir, name string) error {
	if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
		return err
	}
	for up := path.Dir(name); up != "."; up = path.Dir(up) {
		if os.Remove(filepath.Join(dir, filepath.FromSlash(up))) != nil {
			break // there is more in it
		}
	}
	return nil
}

// write writes a file. BuildKit sends what differs in size or time from what it has, and the clock of files has ticks
// of some milliseconds, so the time is set.
func (f File) write(name string, now time.Time) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if f.Link != "" {
		return os.Symlink(f.Link, name)
	}
	if err := os.WriteFile(name, []byte(f.Data), 0o644); err != nil {
		return err
	}
	return os.Chtimes(name, now, now)
}

// Read reads the files below a folder.
func Read(dir string) (Tree, error) {
	t := Tree{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		var f File
		if d.Type()&fs.ModeSymlink != 0 {
			f.Link, err = os.Readlink(name)
		} else {
			var dt []byte
			dt, err = os.ReadFile(name)
			f.Data = string(dt)
		}
		t[filepath.ToSlash(rel)] = f
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	return t, nil
}
