package run

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// entry is a member of a layer: a folder if the name ends with /, a link if it has a target, else a file.
type entry struct {
	name, symlink, link, content string
	mode                         int64
}

func layer(t *testing.T, entries ...entry) v1.Layer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: e.mode, Uid: os.Getuid(), Gid: os.Getgid(), Size: int64(len(e.content)),
			Linkname: e.symlink + e.link}
		switch {
		case strings.HasSuffix(e.name, "/"):
			h.Typeflag = tar.TypeDir
		case e.symlink != "":
			h.Typeflag = tar.TypeSymlink
		case e.link != "":
			h.Typeflag = tar.TypeLink
		}
		if h.Mode == 0 {
			h.Mode = 0o755
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, e.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b.Bytes())), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func unpacked(t *testing.T, layers ...v1.Layer) (string, error) {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close() //nolint:errcheck // holds nothing
	return dir, unpackImage(img, root, layerCache(t.TempDir()))
}

func TestUnpack(t *testing.T) {
	for _, tt := range []struct {
		name   string
		layers []v1.Layer
		want   map[string]string // content, by path
		gone   []string
	}{
		{
			name: "over",
			layers: []v1.Layer{layer(t, entry{name: "a", content: "old"}, entry{name: "d/b", content: "b"}),
				layer(t, entry{name: "./a", content: "new"}, entry{name: "/d/c", content: "c"})},
			want: map[string]string{"a": "new", "d/b": "b", "d/c": "c"},
		},
		{
			name: "whiteouts",
			layers: []v1.Layer{layer(t, entry{name: "a"}, entry{name: "d/b"}, entry{name: "d/c", content: "c"}),
				layer(t, entry{name: ".wh.a"}, entry{name: "d/.wh.b"}, entry{name: ".wh.never"})},
			want: map[string]string{"d/c": "c"},
			gone: []string{"a", "d/b", ".wh.a", "d/.wh.b"},
		},
		{
			name: "opaque leaves what its layer made",
			layers: []v1.Layer{layer(t, entry{name: "d/low"}, entry{name: "d/sub/low"}, entry{name: "other", content: "o"}),
				layer(t, entry{name: "d/up", content: "u"}, entry{name: "d/sub/up", content: "u"}, entry{name: "d/.wh..wh..opq"},
					entry{name: "d/late", content: "l"})},
			want: map[string]string{"d/up": "u", "d/sub/up": "u", "d/late": "l", "other": "o"},
			gone: []string{"d/low", "d/sub/low", "d/.wh..wh..opq"},
		},
		{
			name: "a hard link keeps its content",
			layers: []v1.Layer{layer(t, entry{name: "a", content: "old"}, entry{name: "b", link: "a"}),
				layer(t, entry{name: "a", content: "new"})},
			want: map[string]string{"a": "new", "b": "old"},
		},
		{
			name: "a hard link outlives its target",
			layers: []v1.Layer{layer(t, entry{name: "a", content: "old"}, entry{name: "b", link: "a"}),
				layer(t, entry{name: ".wh.a"})},
			want: map[string]string{"b": "old"},
			gone: []string{"a"},
		},
		{
			name: "into a folder that is a link",
			layers: []v1.Layer{layer(t, entry{name: "usr/bin/x", content: "x"}, entry{name: "bin", symlink: "usr/bin"}),
				layer(t, entry{name: "bin/new", content: "n"})},
			want: map[string]string{"usr/bin/x": "x", "usr/bin/new": "n", "bin/x": "x"},
		},
		{
			name: "an absolute link is the image's",
			layers: []v1.Layer{layer(t, entry{name: "run/x", content: "x"}, entry{name: "var/run", symlink: "/run"}),
				layer(t, entry{name: "var/run/new", content: "n"})},
			want: map[string]string{"run/x": "x", "run/new": "n"},
		},
		{
			name: "a file takes the place of a folder, and a folder of a link",
			layers: []v1.Layer{layer(t, entry{name: "a/x"}, entry{name: "b", symlink: "c"}, entry{name: "c/x", content: "x"}),
				layer(t, entry{name: "a", content: "file"}, entry{name: "b/"}, entry{name: "b/y", content: "y"})},
			want: map[string]string{"a": "file", "b/y": "y", "c/x": "x"},
			gone: []string{"c/y"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root, err := unpacked(t, tt.layers...)
			if err != nil {
				t.Fatal(err)
			}
			for file, want := range tt.want {
				if got, err := os.ReadFile(filepath.Join(root, file)); err != nil || string(got) != want {
					t.Errorf("%s is %q, want %q (%v)", file, got, want, err)
				}
			}
			for _, file := range tt.gone {
				if _, err := os.Lstat(filepath.Join(root, file)); !os.IsNotExist(err) {
					t.Errorf("%s is there (%v)", file, err)
				}
			}
		})
	}
}

func TestUnpackModes(t *testing.T) {
	root, err := unpacked(t,
		layer(t, entry{name: "d/", mode: 0o700}, entry{name: "su", mode: 0o4755}, entry{name: "tmp/", mode: 0o1777},
			entry{name: "r", mode: 0o440}),
		layer(t, entry{name: "d/", mode: 0o750}, entry{name: "tmp/x"}))
	if err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]os.FileMode{
		"d": os.ModeDir | 0o750, "su": os.ModeSetuid | 0o755, "tmp": os.ModeDir | os.ModeSticky | 0o777, "r": 0o440,
	} {
		info, err := os.Lstat(filepath.Join(root, file))
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, want %v (%v)", file, info.Mode(), want, err)
		}
	}
}

// No image may reach a file of the machine that unpacks it.
func TestUnpackStaysInside(t *testing.T) {
	for _, tt := range []struct {
		name    string
		entries func(host string) [][]entry
		err     string
	}{
		{name: "dot dot", entries: func(string) [][]entry { return [][]entry{{{name: "../evil", content: "x"}}} },
			err: "leads out of the image"},
		{name: "dot dot within", entries: func(string) [][]entry { return [][]entry{{{name: "a/../../evil", content: "x"}}} },
			err: "leads out of the image"},
		{name: "absolute link", entries: func(host string) [][]entry {
			return [][]entry{{{name: "esc", symlink: host}, {name: "esc/evil", content: "x"}}}
		}},
		{name: "absolute link of a lower layer", entries: func(host string) [][]entry {
			return [][]entry{{{name: "esc", symlink: host}}, {{name: "esc/evil", content: "x"}}}
		}},
		{name: "relative link", entries: func(string) [][]entry {
			return [][]entry{{{name: "esc", symlink: "../../../../../../../../../tmp"}}, {{name: "esc/evil", content: "x"}}}
		}},
		{name: "through a link to the file", entries: func(host string) [][]entry {
			return [][]entry{{{name: "f", symlink: host + "/canary"}}, {{name: "f", content: "x"}}}
		}},
		{name: "hard link", entries: func(host string) [][]entry {
			return [][]entry{{{name: "f", link: host + "/canary"}}}
		}, err: "no such file"},
		{name: "hard link through a link", entries: func(host string) [][]entry {
			return [][]entry{{{name: "esc", symlink: host}, {name: "f", link: "esc/canary"}}}
		}, err: "no such file"},
		{name: "whiteout", entries: func(host string) [][]entry {
			return [][]entry{{{name: "esc", symlink: host}}, {{name: "esc/.wh.canary"}}}
		}},
		{name: "opaque", entries: func(host string) [][]entry {
			return [][]entry{{{name: "esc", symlink: host}}, {{name: "esc/.wh..wh..opq"}}}
		}},
		{name: "whiteout of dot dot", entries: func(string) [][]entry { return [][]entry{{{name: "a/.wh..."}}} },
			err: "removes no file"},
		{name: "links in a ring", entries: func(string) [][]entry {
			return [][]entry{{{name: "a", symlink: "b"}, {name: "b", symlink: "a"}, {name: "a/evil", content: "x"}}}
		}, err: "too many links"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			host := t.TempDir()
			write(t, filepath.Join(host, "canary"), "mine")
			var layers []v1.Layer
			for _, e := range tt.entries(host) {
				layers = append(layers, layer(t, e...))
			}
			root, err := unpacked(t, layers...)
			if tt.err == "" && err != nil || tt.err != "" && !strings.Contains(message(err), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
			if got, err := os.ReadFile(filepath.Join(host, "canary")); err != nil || string(got) != "mine" {
				t.Errorf("a file of the machine became %q (%v)", got, err)
			}
			for _, file := range []string{filepath.Join(host, "evil"), filepath.Join(root, "../evil"), "/tmp/evil"} {
				if _, err := os.Lstat(file); err == nil {
					t.Errorf("%s was made", file)
				}
			}
		})
	}
}

// Names of users are the image's, also when its list is a link.
func TestLookupUserStaysInside(t *testing.T) {
	host := t.TempDir()
	write(t, filepath.Join(host, "passwd"), "hostuser:x:4242:4242::/:/bin/sh\n")
	root := image(t, map[string]os.FileMode{"etc": 0}, nil)
	if err := os.Symlink(filepath.Join(host, "passwd"), filepath.Join(root, "etc/passwd")); err != nil {
		t.Fatal(err)
	}
	if uid, _, err := lookupUser("hostuser", root); err == nil {
		t.Errorf("got the host's user %d", uid)
	}
}
