package run

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Whiteouts, by which a layer removes files of the layers below it (OCI image spec, layer.md).
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// unpackImage puts the layers of img into root, one over the other: links between files, and folders that a lower layer
// has made a link, come out right only in that order. Whatever the image holds, nothing outside of root is touched.
func unpackImage(img v1.Image, root *os.Root, cache layerCache) error {
	layers, err := img.Layers()
	if err != nil {
		return err
	}
	for _, l := range layers {
		if err := unpackLayer(l, root, cache); err != nil {
			return err
		}
	}
	return nil
}

func unpackLayer(l v1.Layer, root *os.Root, cache layerCache) (err error) {
	r, err := cache.open(l)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	made := map[string]bool{} // by this layer: its opaque whiteouts do not remove them
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := unpackEntry(h, tr, root, made); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
	_, err = io.Copy(io.Discard, r) // to the end, where the digest is checked
	return err
}

func unpackEntry(h *tar.Header, content io.Reader, root *os.Root, made map[string]bool) error {
	name := path.Clean(strings.TrimLeft(h.Name, "/"))
	if !filepath.IsLocal(name) {
		return errors.New("leads out of the image")
	}
	dir, err := resolve(root, path.Dir(name))
	if err != nil {
		return err
	}
	if err := root.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	base := path.Base(name)
	if base == opaque {
		return clearDir(root, dir, made)
	}
	if removed, ok := strings.CutPrefix(base, whiteout); ok {
		if removed == "" || removed == "." || removed == ".." {
			return errors.New("removes no file")
		}
		return root.RemoveAll(path.Join(dir, removed))
	}

	file := path.Join(dir, base)
	for p := file; p != "."; p = path.Dir(p) {
		made[p] = true
	}
	info, err := root.Lstat(file)
	there := err == nil && info.IsDir() && h.Typeflag == tar.TypeDir
	if !there {
		if err := root.RemoveAll(file); err != nil {
			return err
		}
	}
	switch h.Typeflag {
	case tar.TypeDir:
		if !there {
			err = root.Mkdir(file, 0o755)
		} else {
			err = nil
		}
	case tar.TypeReg:
		err = writeFile(root, file, content)
	case tar.TypeSymlink:
		if err := root.Symlink(h.Linkname, file); err != nil {
			return err
		}
		return root.Lchown(file, h.Uid, h.Gid)
	case tar.TypeLink:
		to := path.Clean("/" + h.Linkname)
		dir, err := resolve(root, path.Dir(to))
		if err != nil {
			return err
		}
		return root.Link(path.Join(dir, path.Base(to)), file)
	default:
		return nil // devices: what runs the image makes its own
	}
	if err != nil {
		return err
	}
	if err := root.Lchown(file, h.Uid, h.Gid); err != nil {
		return err
	}
	// Last: a change of owner takes the setuid bit away.
	if err := root.Chmod(file, h.FileInfo().Mode()); err != nil {
		return err
	}
	return root.Chtimes(file, h.ModTime, h.ModTime)
}

func writeFile(root *os.Root, name string, content io.Reader) error {
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	return errors.Join(err, f.Close())
}

// clearDir removes what is in dir, except what keep has.
func clearDir(root *os.Root, dir string, keep map[string]bool) error {
	return fs.WalkDir(root.FS(), dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if p == dir || keep[p] {
			return nil
		}
		if err := root.RemoveAll(p); err != nil {
			return err
		}
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
}

// resolve follows the links of a path as for a process whose root folder is root: an absolute link starts there, and ..
// does not leave it. A part of the path that does not exist is taken as no link.
func resolve(root *os.Root, name string) (string, error) {
	at, rest, links := ".", strings.Split(name, "/"), 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		to, err := root.Readlink(next)
		if err != nil {
			at = next
			continue
		}
		if links++; links > 40 {
			return "", fmt.Errorf("%s: too many links", name)
		}
		if path.IsAbs(to) {
			at = "."
		}
		rest = append(strings.Split(to, "/"), rest...)
	}
	return at, nil
}
