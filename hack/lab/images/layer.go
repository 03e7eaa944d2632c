package images

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/klauspost/compress/gzip"
)

// tree is the content of a layer. What is added later under the same name replaces what was there.
type tree struct{ entries []entry }

type entry struct {
	hdr  *tar.Header
	data []byte
	disk string // read from here if set
}

func (t *tree) addHeader(hdr *tar.Header, data []byte) {
	t.entries = append(t.entries, entry{hdr: hdr, data: data})
}

func (t *tree) addFile(name string, mode int64, data []byte) {
	t.addHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: int64(len(data))}, data)
}

func (t *tree) addDir(name string, mode int64, owner int) {
	t.addHeader(&tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: mode, Uid: owner, Gid: owner}, nil)
}

func (t *tree) addLink(name, to string) {
	t.addHeader(&tar.Header{Name: name, Typeflag: tar.TypeSymlink, Mode: 0o777, Linkname: to}, nil)
}

// addDisk adds a file or folder, without the paths for which skip is true. These are relative to from. Links in the
// folder stay links, but if from itself is a link, its target is added.
func (t *tree) addDisk(from, to string, skip func(rel string) bool) error {
	from, err := filepath.EvalSymlinks(from)
	if err != nil {
		return err
	}
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, p)
		if err != nil {
			return err
		}
		if skip != nil && skip(rel) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name := path.Join(to, filepath.ToSlash(rel))
		switch {
		case d.IsDir():
			t.addDir(name, 0o755, 0)
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			t.addLink(name, target)
		default:
			mode := int64(0o644)
			if info.Mode()&0o111 != 0 {
				mode = 0o755
			}
			t.entries = append(
				t.entries,
				entry{hdr: &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: mode, Size: info.Size()}, disk: p},
			)
		}
		return nil
	})
}

// write gives the tree as tar: sorted, with parents, all with the same time.
func (t *tree) write(w io.Writer) error {
	byName := map[string]entry{}
	for _, e := range t.entries {
		byName[e.hdr.Name] = e
	}
	for name := range byName {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if _, ok := byName[dir]; !ok {
				byName[dir] = entry{hdr: &tar.Header{Name: dir, Typeflag: tar.TypeDir, Mode: 0o755}}
			}
		}
	}
	names := make([]string, 0, len(byName))
	for name := range byName {
		names = append(names, name)
	}
	// Hard links come after their targets. The order of names alone does not guarantee that.
	sort.Slice(names, func(i, j int) bool {
		a, b := byName[names[i]].hdr.Typeflag == tar.TypeLink, byName[names[j]].hdr.Typeflag == tar.TypeLink
		if a != b {
			return b
		}
		return names[i] < names[j]
	})
	tw := tar.NewWriter(w)
	for _, name := range names {
		e := byName[name]
		hdr := *e.hdr
		hdr.ModTime, hdr.Format = fileTime, tar.FormatPAX
		if hdr.Typeflag == tar.TypeDir {
			hdr.Name = strings.TrimSuffix(hdr.Name, "/") + "/"
		}
		if hdr.Typeflag == tar.TypeLink {
			hdr.Linkname = strings.TrimPrefix(hdr.Linkname, "./")
		}
		if err := tw.WriteHeader(&hdr); err != nil {
			return err
		}
		if hdr.Typeflag != tar.TypeReg {
			continue
		}
		if err := e.copyTo(tw); err != nil {
			return err
		}
	}
	return tw.Close()
}

func (e entry) copyTo(w io.Writer) error {
	if e.disk == "" {
		_, err := io.Copy(w, bytes.NewReader(e.data))
		return err
	}
	f, err := os.Open(e.disk)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	_, err = io.Copy(w, f)
	return err
}

// layerFile gives the layer in file. If there is no such file, it makes it from what build gives.
func layerFile(file string, build func() (*tree, error)) (v1.Layer, error) {
	if _, err := os.Stat(file); err != nil {
		t, err := build()
		if err != nil {
			return nil, err
		}
		tmp, err := os.CreateTemp(filepath.Dir(file), "layer-*.tmp")
		if err != nil {
			return nil, err
		}
		defer os.Remove(tmp.Name()) //nolint:errcheck // renamed if all went well
		z, err := gzip.NewWriterLevel(tmp, gzip.BestSpeed)
		if err != nil {
			return nil, err
		}
		if err := t.write(z); err != nil {
			return nil, err
		}
		if err := z.Close(); err != nil {
			return nil, err
		}
		if err := tmp.Close(); err != nil {
			return nil, err
		}
		if err := os.Rename(tmp.Name(), file); err != nil {
			return nil, err
		}
	}
	return tarball.LayerFromFile(file)
}
