package diff

import (
	"archive/tar"
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// made is an index of one platform, or several, as a test wants it.
type made struct {
	layers      [][]tar.Header // content is in Linkname of files
	compression int
	config      func(*v1.ConfigFile)
	annotations map[string]string // of the manifest
	index       map[string]string // annotations
	platforms   []string
	attestation string
	raw         func([]byte) []byte // changes the bytes of the index
}

var when = time.Unix(1700000000, 0)

func file(name, content string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, ModTime: when, Linkname: content}
}

// plainImage has what every test begins with: a layer of a base, and one of an app.
func plainImage() made {
	return made{
		layers: [][]tar.Header{
			{file("etc/os-release", "base")},
			{
				{Name: "app/", Typeflag: tar.TypeDir, Mode: 0o755, ModTime: when},
				file("app/app.dll", "code"), file("app/app.json", "{}"),
				{Name: "app/link", Typeflag: tar.TypeSymlink, Linkname: "app.dll", ModTime: when, Mode: 0o777},
			},
		},
		platforms: []string{"linux/amd64", "linux/arm64"},
		index:     map[string]string{"name": "app"},
	}
}

func (m made) build(t *testing.T) Object {
	t.Helper()
	idx := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range m.platforms {
		platform, err := v1.ParsePlatform(p)
		if err != nil {
			t.Fatal(err)
		}
		idx = mutate.AppendManifests(idx,
			mutate.IndexAddendum{Add: m.image(t, platform), Descriptor: v1.Descriptor{Platform: platform}})
	}
	if m.attestation != "" {
		img, err := mutate.AppendLayers(empty.Image, static.NewLayer([]byte(m.attestation), "application/vnd.in-toto+json"))
		if err != nil {
			t.Fatal(err)
		}
		idx = mutate.AppendManifests(idx,
			mutate.IndexAddendum{Add: img,
				Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}}})
	}
	if m.index != nil {
		idx = mutate.Annotations(idx, m.index).(v1.ImageIndex)
	}
	if m.raw != nil {
		return rewritten{idx, m.raw}
	}
	return idx
}

// index is embedded under another name than that of one of its methods.
type index = v1.ImageIndex

// rewritten is an index in other bytes.
type rewritten struct {
	index
	change func([]byte) []byte
}

func (r rewritten) RawManifest() ([]byte, error) {
	dt, err := r.index.RawManifest()
	return r.change(dt), err
}

func (r rewritten) Digest() (v1.Hash, error) {
	dt, err := r.RawManifest()
	if err != nil {
		return v1.Hash{}, err
	}
	h, _, err := v1.SHA256(bytes.NewReader(dt))
	return h, err
}

func (m made) image(t *testing.T, p *v1.Platform) v1.Image {
	t.Helper()
	config := &v1.ConfigFile{OS: p.OS, Architecture: p.Architecture, RootFS: v1.RootFS{Type: "layers"},
		Created: v1.Time{Time: when},
		Config: v1.Config{User: "1654", Entrypoint: []string{"dotnet", "/app/app.dll"},
			Labels: map[string]string{"a.b": "1"}}}
	if m.config != nil {
		m.config(config)
	}
	img, err := mutate.ConfigFile(mutate.MediaType(empty.Image, types.OCIManifestSchema1), config)
	if err != nil {
		t.Fatal(err)
	}
	for _, entries := range m.layers {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, hdr := range entries {
			content := ""
			if hdr.Typeflag == tar.TypeReg {
				content, hdr.Linkname = hdr.Linkname, ""
				hdr.Size = int64(len(content))
			}
			if err := w.WriteHeader(&hdr); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, content); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		opener := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
		layer, err := tarball.LayerFromOpener(opener, tarball.WithCompressionLevel(m.compression))
		if err != nil {
			t.Fatal(err)
		}
		if img, err = mutate.AppendLayers(img, layer); err != nil {
			t.Fatal(err)
		}
	}
	if m.annotations != nil {
		img = mutate.Annotations(img, m.annotations).(v1.Image)
	}
	return img
}

// entry changes an entry of the app's layer.
func entry(name string, change func(*tar.Header)) func(*made) {
	return func(m *made) {
		i := slices.IndexFunc(m.layers[1], func(h tar.Header) bool { return h.Name == name })
		change(&m.layers[1][i])
	}
}

func one(m *made) { m.platforms = m.platforms[:1] }

func TestCompare(t *testing.T) {
	const app = "linux/amd64: layer 2: "
	for _, tc := range []struct {
		name   string
		both   func(*made)
		change func(*made)
		want   []string // each is the beginning of one difference, in order
	}{
		{name: "nothing", change: func(*made) {}},
		{name: "attestations", both: func(m *made) { m.attestation = "Monday" },
			change: func(m *made) { m.attestation = "Tuesday" }},
		{name: "an attestation more", change: func(m *made) { m.attestation = "Monday" }},
		{name: "annotation of the index", change: func(m *made) { m.index = map[string]string{"name": "other", "more": "x"} },
			want: []string{
				`index: .annotations.more: (none) | "x"`, `index: .annotations.name: "app" | "other"`}},
		{name: "annotations of the index", change: func(m *made) { m.index = nil },
			want: []string{`index: .annotations: {"name":"app"} | (none)`}},
		{name: "bytes of the index", change: func(m *made) { m.raw = func(dt []byte) []byte { return append(dt, '\n') } },
			want: []string{"manifest: bytes: sha256:"}},
		{name: "order of platforms", change: func(m *made) { slices.Reverse(m.platforms) },
			want: []string{"index: order: linux/amd64 | linux/arm64"}},
		{name: "a platform less", change: one, want: []string{"linux/arm64: sha256:"}},
		{name: "another platform", both: one, change: func(m *made) { m.platforms = []string{"linux/arm/v7"} },
			want: []string{"linux/amd64: sha256:", "linux/arm/v7: (none) | sha256:"}},
		{name: "all platforms", change: func(m *made) { m.annotations = map[string]string{"a": "b"} }, want: []string{
			`linux/amd64: manifest: .annotations: (none) | {"a":"b"}`,
			`linux/arm64: manifest: .annotations: (none) | {"a":"b"}`}},
		{name: "config", both: one, change: func(m *made) {
			m.config = func(c *v1.ConfigFile) {
				c.Config.User, c.Config.Labels["a.b"], c.Config.Entrypoint = "0", "2", []string{"dotnet"}
				c.Created = v1.Time{Time: when.Add(time.Second)}
			}
		}, want: []string{
			`linux/amd64: config: .config.Entrypoint[1]: "/app/app.dll" | (none)`,
			`linux/amd64: config: .config.Labels["a.b"]: "1" | "2"`,
			`linux/amd64: config: .config.User: "1654" | "0"`,
			`linux/amd64: config: .created: "2023-11-14T22:13:20Z" | "2023-11-14T22:13:21Z"`}},
		{name: "compression", both: one, change: func(m *made) { m.compression = 9 }, want: []string{
			"linux/amd64: layer 1: compression: sha256:", "linux/amd64: layer 2: compression: sha256:"}},
		{name: "a layer more", both: one, change: func(m *made) { m.layers = append(m.layers, []tar.Header{file("x", "y")}) },
			want: []string{"linux/amd64: config: .history", "linux/amd64: layer 3: (none) | sha256:"}},
		{name: "a layer before", both: one,
			change: func(m *made) { m.layers = slices.Insert(m.layers, 0, []tar.Header{file("x", "y")}) }, want: []string{
				"linux/amd64: config: .history", "linux/amd64: layer 1: (none) | sha256:"}},
		{name: "order of layers", both: one, change: func(m *made) { slices.Reverse(m.layers) },
			want: []string{"linux/amd64: layers: order: sha256:"}},
		{name: "content", both: one, change: entry("app/app.dll", func(h *tar.Header) { h.Linkname = "Code" }),
			want: []string{
				app + "app/app.dll: content: sha256:5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b, 4 bytes " +
					"| sha256:"}},
		{name: "size", both: one, change: entry("app/app.dll", func(h *tar.Header) { h.Linkname = "more code" }),
			want: []string{app + "app/app.dll: content: sha256:"}},
		{name: "mode", both: one, change: entry("app/app.dll", func(h *tar.Header) { h.Mode = 0o600 }),
			want: []string{app + "app/app.dll: mode: 0644 | 0600"}},
		{name: "owner", both: one, change: entry("app/", func(h *tar.Header) { h.Uid = 1654 }),
			want: []string{app + "app/: owner: 0:0 | 1654:0"}},
		{name: "group's name", both: one, change: entry("app/", func(h *tar.Header) { h.Gname = "app" }),
			want: []string{app + "app/: owner: 0:0 | 0:0  app"}},
		{name: "time", both: one, change: entry("app/app.json", func(h *tar.Header) { h.ModTime = when.Add(time.Hour) }),
			want: []string{
				app + "app/app.json: time: 2023-11-14T22:13:20Z | 2023-11-14T23:13:20Z"}},
		{name: "target", both: one, change: entry("app/link", func(h *tar.Header) { h.Linkname = "app.json" }),
			want: []string{app + "app/link: target: app.dll | app.json"}},
		{name: "kind", both: one,
			change: entry("app/link", func(h *tar.Header) { h.Typeflag, h.Linkname = tar.TypeLink, "app/app.dll" }),
			want: []string{
				app + "app/link: content: symbolic link | hard link", app + "app/link: target: ", app + "app/link: type: "}},
		{name: "extended attribute", both: one, change: entry("app/app.dll", func(h *tar.Header) {
			h.PAXRecords = map[string]string{"SCHILY.xattr.user.a": "b"}
		}), want: []string{app + `app/app.dll: SCHILY.xattr.user.a: (none) | "b"`, app + "app/app.dll: format: "}},
		{name: "format", both: one, change: entry("app/app.dll", func(h *tar.Header) { h.Format = tar.FormatGNU }),
			want: []string{app + "app/app.dll: format: "}},
		{name: "order of files", both: one, change: func(m *made) { slices.Reverse(m.layers[1]) },
			want: []string{app + "order: app/ | app/link"}},
		{name: "a file less, another more", both: one,
			change: entry("app/app.json", func(h *tar.Header) { h.Name = "app/other.json" }), want: []string{
				app + "app/app.json: sha256:", app + "app/other.json: (none) | sha256:"}},
		{name: "a file twice", both: one,
			change: func(m *made) { m.layers[1] = append(m.layers[1], file("app/app.dll", "other")) }, want: []string{
				app + "app/app.dll #2: (none) | sha256:"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a, b := plainImage(), plainImage()
			for _, m := range []*made{&a, &b} {
				m.compression = 1
				if tc.both != nil {
					tc.both(m)
				}
			}
			tc.change(&b)
			found, err := Compare(a.build(t), b.build(t))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range found {
				got = append(got, d.String())
			}
			if !slices.EqualFunc(got, tc.want, strings.HasPrefix) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

// An index and an image are no more than told apart.
func TestKinds(t *testing.T) {
	found, err := Compare(empty.Index, empty.Image)
	if err != nil || len(found) != 1 || !strings.HasPrefix(found[0].String(), "mediaType: ") {
		t.Errorf("got %v, %v", found, err)
	}
}

func TestWrite(t *testing.T) {
	var found []Difference
	for _, p := range []string{"a: 1: x", "a: 1: y", "a: 1: z", "a: 2: x", "b"} {
		found = append(found, Difference{strings.Split(p, ": "), "1", "2"})
	}
	var out bytes.Buffer
	if err := Write(&out, found, 2); err != nil {
		t.Fatal(err)
	}
	if want := "a: 1: x: 1 | 2\na: 1: y: 1 | 2\na: 1: and 1 more\na: 2: x: 1 | 2\nb: 1 | 2\n"; out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}
