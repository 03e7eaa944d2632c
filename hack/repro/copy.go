package repro

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// copy copies a folder so that all differs but names, content and what can be executed: the order in which files were
// made, their times, modes and owners.
func (r *runner) copy(src, dst string) error {
	var names []string
	err := fs.WalkDir(os.DirFS(src), ".", func(name string, _ fs.DirEntry, err error) error {
		names = append(names, name)
		return err
	})
	if err != nil {
		return err
	}
	slices.Reverse(names)
	for _, name := range names {
		if err := copyEntry(filepath.Join(src, name), filepath.Join(dst, name)); err != nil {
			return err
		}
	}
	if r.change != nil {
		if err := r.change(dst); err != nil {
			return err
		}
	}
	// Files before their folders, whose times would change else.
	when := time.Date(1999, 12, 31, 23, 59, 59, 987654321, time.UTC)
	for i, name := range names {
		target := filepath.Join(dst, name)
		info, err := os.Lstat(target)
		if err != nil {
			return err
		}
		if err := os.Lchown(target, 1000+i, 2000); err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			continue
		}
		if err := os.Chmod(target, info.Mode().Perm()&0o700); err != nil {
			return err
		}
		if err := os.Chtimes(target, when, when.Add(time.Duration(i)*time.Hour)); err != nil {
			return err
		}
	}
	return nil
}

// copyEntry copies one file or link, or makes a folder.
func copyEntry(from, to string) error {
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return os.MkdirAll(to, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		link, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(link, to)
	}
	dt, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, dt, info.Mode().Perm())
}
