package e2e

import (
	"archive/tar"
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/hack/inprocess"
)

// usrMerged is a base as distributions make them, with much for a layer to stumble over. A line is a path, then its
// mode and owner for a folder, its content after = for a file, or its target after > for a link. A file may have a mode
// and an owner, too.
const usrMerged = `
usr 0755
usr/bin 0755
usr/bin/sh = shell
usr/bin/tool.sh = old tool
usr/lib 0755
usr/local 0755
usr/local/bin 0755
usr/local/bin/python3 = python
usr/local/bin/python > python3
usr/local/bin/lost > /gone/away
usr/local/share 0711 5:6
bin > usr/bin
lib > usr/lib
run 0755
var 0755
var/run > ../run
var/lock > /run/lock
var/lib 0755
var/lib/data 0700
tmp 1777
root 0700
home 0755
home/app 0750 1654:1654
data 0755
data/srv 2775 33:33
srv > /data/srv
loop1 > loop2
loop2 > loop1
out > ../../../../etc
chain > chain2
chain2 > usr/../chain3
chain3 > /usr/local
etc 0755
etc/app.conf = base
etc/link.conf > app.conf
etc/conf.d 0755
etc/conf.d/a.conf = old
etc/conf.d/sub > ../other
etc/other 0755
etc/other/kept = kept
etc/conf 0711 7:8
etc/conf/sub 0700 9:9
etc/conf/sub/b.conf = old
etc/conf/sub/kept = kept
etc/deep 0755
etc/deep/a.conf 0755
file = a file
`

// pushLayout puts an image into the lab's registry, whose layer no builder has seen or made.
func pushLayout(t *testing.T, list string, config v1.Config) (repo string, layerDigest v1.Hash) {
	t.Helper()
	return pushImage(t, layerOf(t, list+"\nusr/fresh = "+fresh()), config)
}

// pushImage puts an image of one layer into the lab's registry. Its name tells the C library, so that nobody has to
// look for it.
func pushImage(t *testing.T, dt []byte, config v1.Config) (repo string, layerDigest v1.Hash) {
	t.Helper()
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(dt)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		t.Fatal(err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	file.OS, file.Architecture, file.Config = "linux", "amd64", config
	if img, err = mutate.ConfigFile(img, file); err != nil {
		t.Fatal(err)
	}
	repo = repository(t) + "/bookworm"
	if err := remote.Write(insecure(t, repo), img, remote.WithContext(t.Context())); err != nil {
		t.Fatal(err)
	}
	if layerDigest, err = layer.Digest(); err != nil {
		t.Fatal(err)
	}
	return repo, layerDigest
}

// baseTime is the time of all that a base of pushLayout has.
var baseTime = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

// layerOf makes an archive of a list as usrMerged is one.
func layerOf(t *testing.T, list string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for line := range strings.Lines(list) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		h := &tar.Header{ModTime: baseTime, Mode: 0o644}
		var content string
		if p, text, ok := strings.Cut(line, " = "); ok {
			h.Typeflag, h.Size, content = tar.TypeReg, int64(len(text)), text
			if _, err := fmt.Sscanf(p+" 0644 0:0", "%s %o %d:%d", &h.Name, &h.Mode, &h.Uid, &h.Gid); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		} else if p, to, ok := strings.Cut(line, " > "); ok {
			h.Name, h.Typeflag, h.Linkname, h.Mode = p, tar.TypeSymlink, to, 0o777
		} else {
			h.Typeflag = tar.TypeDir
			if _, err := fmt.Sscanf(line+" 0:0", "%s %o %d:%d", &h.Name, &h.Mode, &h.Uid, &h.Gid); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rootfs tells of every file of an archive. Times are told of what is no folder: COPY gives its own time to a folder
// that it puts something into.
func rootfs(t *testing.T, archive []byte) map[string]string {
	t.Helper()
	files := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		content := sha256.New()
		if _, err := io.Copy(content, r); err != nil {
			t.Fatal(err)
		}
		told := fmt.Sprintf("%c %04o %d:%d %s", h.Typeflag, h.Mode, h.Uid, h.Gid, h.Linkname)
		if h.Typeflag != tar.TypeDir {
			told += fmt.Sprintf(" %x %s", content.Sum(nil)[:4], h.ModTime.UTC().Format(time.RFC3339))
		}
		files[path.Clean(h.Name)] = told
	}
}

// layout is what an image puts onto usrMerged.
type layout struct {
	name  string
	base  string // what the base has beside that
	dir   string // of the app, /app if empty
	copy  string // files, as arguments of COPY, a line for each
	files string // the same for the spec, where that is not the same words
	quiet bool   // the configuration of the base does not speak of the app's folder
	err   string // of all builds; empty: they succeed
}

// Each folder for the app costs a publish, so there are few.
const deep = "/mnt/a/app"

const appWithFiles = "app 0710 1:2\napp/place.dll = old\napp/kept = kept"

var layouts = []layout{
	{name: "nothing in the way", copy: "tool.sh /opt/tools/tool.sh\nconf /opt/conf/"},
	{name: "a folder is a link", copy: "tool.sh /bin/tool.sh\ntool.sh /bin/new.sh"},
	{name: "a link upwards", copy: "conf /var/run/app"},
	{name: "an absolute link to nothing", copy: "tool.sh /var/lock/tool.sh"},
	{name: "a file onto a link to nothing", copy: "tool.sh /usr/local/bin/lost"},
	{name: "a folder onto a link to nothing", copy: "conf /usr/local/bin/lost"},
	{name: "links to links", copy: "tool.sh /chain/bin/tool.sh"},
	{name: "a link out of the root", copy: "tool.sh /out/tool.sh"},
	{name: "a loop of links", copy: "tool.sh /loop1/tool.sh", err: "too many links"},
	{name: "a file into a folder", copy: "tool.sh /usr/local/bin"},
	{name: "a file into a folder, by its slash", copy: "tool.sh /usr/local/bin/"},
	{name: "a file into a link to a folder", copy: "tool.sh /srv"},
	{name: "a file onto a file", copy: "tool.sh /etc/app.conf"},
	{name: "a file onto a link to a file", copy: "tool.sh /etc/link.conf"},
	{name: "a file onto a link beside its file", copy: "tool.sh /usr/local/bin/python"},
	{name: "a file below a file", copy: "tool.sh /file/tool.sh", err: "not a directory"},
	{name: "a folder onto a folder", copy: "conf /etc/conf"},
	{name: "a folder onto a link to a folder", copy: "conf /srv"},
	{name: "a folder onto a file", copy: "conf /file", err: "cannot copy to non-directory"},
	{name: "a folder whose folder meets a link", copy: "conf /etc/conf.d", err: "cannot copy to non-directory"},
	{name: "a folder whose file meets a folder", copy: "conf /etc/deep", err: "with file"},
	{name: "a tree onto the root", copy: "root /"},
	{
		name: "folders with modes and owners of their own",
		copy: "tool.sh /tmp/tool.sh\ntool.sh /root/tool.sh\ntool.sh /home/app/bin/\nconf /usr/local/share/conf",
	},
	{name: "mode and owner for new folders alone", copy: "--chmod=0700 --chown=3:4 tool.sh /etc/private/keys/"},
	{name: "a special mode", copy: "--chmod=4755 tool.sh /usr/bin/su"},
	{name: "a volume of the base", copy: "tool.sh /data/srv/a"},
	{
		name:  "an empty folder",
		files: "{to: /var/lib/new/data, mode: '0750', owner: '3:4'}",
		// The folders above are of root, as mkdir --parents makes them. One COPY would give them mode and owner, too.
		copy: "--chmod=0755 empty /var/lib/new/\n--chmod=0750 --chown=3:4 empty /var/lib/new/data/",
	},
	{
		name:  "an empty folder that is there",
		files: "{to: /var/lib/data, mode: '1770', owner: '3:4'}",
		copy:  "--chmod=1770 --chown=3:4 lib /var/lib", // onto /var/lib, as lib has data
	},
	{
		name:  "an empty folder that is there, with its mode",
		files: "{to: /tmp, owner: '3:4'}",
		copy:  "--chmod=1777 --chown=3:4 tmp /",
	},
	{
		name:  "an empty folder at a link to nothing",
		files: "{to: /var/lock, owner: '3:4'}",
		copy:  "--chmod=0755 --chown=3:4 empty /run/lock/",
	},
	{name: "one after the other", copy: "conf /opt/x\ntool.sh /opt/x\ntool.sh /bin/x/\nconf /usr/bin/x/y"},
	{name: "the app below a link", dir: deep, base: "mnt 0755\nmnt/a > ../run", copy: "tool.sh /run/app/tool.sh"},
	{name: "the app below a link to nothing", dir: deep, base: "mnt 0755\nmnt/a > /gone/deep"},
	{name: "the app in a folder that is there", dir: deep, base: "mnt 0755\nmnt/a 0711 1:2\nmnt/a/app 0750 3:4"},
	{name: "the app in a new folder", dir: deep, base: "mnt 0711 1:2", copy: "tool.sh /mnt"},
	{name: "a file above the app", dir: deep, copy: "tool.sh /mnt"},
	{name: "the app in the root", dir: "/"},
	{name: "the app at a link", base: "app > usr/local/share"},
	{name: "the app in a folder with files", base: appWithFiles},
	{name: "the app at a file", base: "app = a file", err: "directory"},
	{name: "the app unasked, at a link", base: "app > usr/local/share", quiet: true},
	{name: "the app unasked, in a folder with files", base: appWithFiles, quiet: true},
	{name: "the app unasked, at a file", base: "app = a file", quiet: true},
	{name: "files in the app's folder", copy: "tool.sh /app\n--chmod=0700 --chown=3:4 tool.sh /app/private/tool.sh"},
	{name: "a file into a folder of the app", files: "{from: tool.sh, to: /app/runtimes}", copy: "tool.sh /app/runtimes/"},
}

// copies are the lines of copy.
func (l layout) copies() []string {
	return slices.DeleteFunc(strings.Split(l.copy, "\n"), func(line string) bool { return line == "" })
}

// spec is the crosshull.yaml of a layout.
func (l layout) spec(base string) string {
	files := l.files
	for _, args := range l.copies() {
		if l.files != "" {
			break
		}
		words := strings.Fields(args)
		n := len(words)
		entry := "from: " + words[n-2] + ", to: " + words[n-1]
		for _, flag := range words[:n-2] {
			key, value, _ := strings.Cut(flag, "=")
			entry += map[string]string{"--chmod": ", mode", "--chown": ", owner"}[key] + ": '" + value + "'"
		}
		files += "{" + entry + "},"
	}
	spec := "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src\nbase: {image: " + base + "}\nfiles: [" + files + "]\n"
	if l.dir != "" {
		spec += "publish: {properties: {ContainerWorkingDirectory: " + l.dir + "}}\n"
	}
	return spec
}

// dockerfile is what an expert would write for the same: with COPY, which looks at the base, and with COPY --link where
// crosshull does not look. Context app has what is published.
func (l layout) dockerfile(base string) string {
	dir := cmp.Or(l.dir, "/app")
	if l.quiet { // with --chmod, COPY --link is a plain COPY
		return "FROM " + base + "\nCOPY --link --from=app / " + dir + "/\n"
	}
	text := "FROM " + base + "\nWORKDIR " + dir + "\n"
	for _, args := range append(l.copies(), "--from=app / "+dir+"/") {
		if !strings.Contains(args, "--chmod") {
			args = "--chmod=u=rwX,go=rX " + args
		}
		text += "COPY " + args + "\n"
	}
	return text
}

// placeApp writes an app, and what the layouts put beside it. published is what its publish gives. All of it has the
// time that crosshull gives to files.
func placeApp(t *testing.T) (dir, published string) {
	t.Helper()
	dir, published = t.TempDir(), t.TempDir()
	sharedProject(t, dir, "src/place.csproj", "")
	// A package with runtimes.
	const sqlite = `<PackageReference Include="Microsoft.EntityFrameworkCore.Sqlite" Version="10.0.13" />`
	edit(t, dir, "src/place.csproj", "</Project>", "<ItemGroup>"+sqlite+"</ItemGroup></Project>")
	for name, content := range map[string]string{
		"tool.sh":                  "#!/bin/sh\n",
		"conf/a.conf":              "new\n",
		"conf/sub/b.conf":          "new\n",
		"root/etc/new.conf":        "new\n",
		"root/etc/conf/sub/b.conf": "new\n",
		"root/opt/tree/leaf":       "leaf\n",
		"crosshull.yaml":           "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src\n",
	} {
		write(t, dir, name, content)
	}
	for _, folder := range []string{"empty", "lib/data", "tmp/tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var archive bytes.Buffer
	mustSolve(t, dir, attr("target", "publish"), platform("linux/amd64"), tarTo(&archive))
	file := filepath.Join(t.TempDir(), "published.tar")
	if err := os.WriteFile(file, archive.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, published, "tar", "--extract", "--file", file)
	command(t, dir, "find", dir, published, "-exec", "touch", "--date", "1980-01-01T00:00:00Z", "{}", "+")
	return dir, published
}

// Files and app land where COPY and WORKDIR of a Dockerfile put them, whatever the base has there, with merge support
// and without. What is of the base stays as it is.
//
// It takes minutes: some 45 layouts, and each is built three times.
func TestPlaces(t *testing.T) {
	t.Parallel()
	app, published := placeApp(t)
	for _, tc := range layouts {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			command(t, dir, "cp", "--archive", app+"/.", dir)
			config := v1.Config{Env: []string{"PATH=/usr/bin"}, Volumes: map[string]struct{}{"/data/srv": {}}}
			if tc.base != "" && !tc.quiet {
				config.WorkingDir = "/app"
			}
			base, _ := pushLayout(t, usrMerged+tc.base, config)
			write(t, dir, "crosshull.yaml", tc.spec(base))
			write(t, dir, "Dockerfile", tc.dockerfile(base))
			want := buildDockerfile(t, dir, published, tc.err)
			wantSame(t, "merged", built(t, dir, tc.err), want)
			wantSame(t, "copied", built(t, dir, tc.err, without(pb.CapMergeOp)), want)
		})
	}
}

// Made again at another time, layers on a base are the same, bit by bit: a folder of the base that gets a new file has
// the time that all files have, and those above it keep theirs. The image in the registry is what COPY makes.
func TestPlacesAgain(t *testing.T) {
	t.Parallel()
	dir, published := placeApp(t)
	base, _ := pushLayout(t, usrMerged+"app 0755\napp/kept = kept", v1.Config{WorkingDir: "/app"})
	l := layout{
		copy: "tool.sh /usr/local/bin/new.sh\ntool.sh /bin\nconf /etc/conf\ntool.sh /opt/a/b/x\ntool.sh /opt/a/c/y\n" +
			"tool.sh /opt/\nempty /data/one/two/\ntool.sh /data/one/two",
		files: "{from: tool.sh, to: /usr/local/bin/new.sh}, {from: tool.sh, to: /bin}, {from: conf, to: /etc/conf}, " +
			"{from: tool.sh, to: /opt/a/b/x}, {from: tool.sh, to: /opt/a/c/y}, {from: tool.sh, to: /opt/}, " +
			"{to: /data/one/two, owner: '0', mode: '0755'}, {from: tool.sh, to: /data/one/two}",
	}
	write(t, dir, "crosshull.yaml", l.spec(base))
	write(t, dir, "Dockerfile", l.dockerfile(base))
	want := buildDockerfile(t, dir, published, "")
	delete(want, "out") // extract takes no link out of the root
	for _, opts := range [][]option{nil, {without(pb.CapMergeOp)}} {
		var layers [][]v1.Hash
		for range 2 {
			repo := repository(t)
			rec := mustSolve(t, dir, append(opts, platform("linux/amd64"), pushTo(repo), attr("no-cache", "image"))...)
			if rec.count("[image linux/amd64] copy files onto base") != 1 {
				t.Errorf("the files are not copied again: %q", rec.ran)
			}
			config, err := remoteImage(t, repo).ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			layers = append(layers, config.RootFS.DiffIDs)
			wantSame(t, "pushed", rootfs(t, extract(t, repo)), want)
			times := folderTimes(t, repo)
			years := map[string]int{"usr": 2001, "usr/local": 2001, "usr/local/bin": 1980, "opt/a": 1980}
			for folder, want := range years {
				if got := times[folder].Year(); got != want {
					t.Errorf("/%s is of %d, want %d", folder, got, want)
				}
			}
		}
		if !slices.Equal(layers[0], layers[1]) {
			t.Errorf("the same image has layers %q", layers)
		}
	}
}

// extract gives the files of an image in the lab's registry.
func extract(t *testing.T, repo string) []byte {
	t.Helper()
	r := mutate.Extract(remoteImage(t, repo))
	defer r.Close() //nolint:errcheck // read only
	dt, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return dt
}

func remoteImage(t *testing.T, repo string) v1.Image {
	t.Helper()
	img, err := remote.Image(insecure(t, repo), remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// folderTimes are those of the folders of an image.
func folderTimes(t *testing.T, repo string) map[string]time.Time {
	t.Helper()
	times := map[string]time.Time{}
	for r := tar.NewReader(bytes.NewReader(extract(t, repo))); ; {
		h, err := r.Next()
		if err == io.EOF {
			return times
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeDir {
			times[path.Clean(h.Name)] = h.ModTime.UTC()
		}
	}
}

// built are the files that crosshull builds, none if it fails with wantErr.
func built(t *testing.T, dir, wantErr string, opts ...option) map[string]string {
	t.Helper()
	var b bytes.Buffer
	_, err := solve(t, dir, append(opts, platform("linux/amd64"), tarTo(&b))...)
	if err != nil && len(errdefs.Sources(err)) == 0 {
		t.Errorf("the error is of no line of the spec: %v", err)
	}
	return filesOr(t, "crosshull", &b, err, wantErr)
}

// buildDockerfile is built for a Dockerfile and the frontend for it that the builder has.
func buildDockerfile(t *testing.T, dir, app, wantErr string) map[string]string {
	t.Helper()
	archive, err := archiveOfDockerfile(t, dir, map[string]string{"app": app})
	return filesOr(t, "the Dockerfile", archive, err, wantErr)
}

// archiveOfDockerfile builds the Dockerfile in dir with the frontend that the builder has, and gives the files of the
// image. contexts are folders by name.
func archiveOfDockerfile(t *testing.T, dir string, contexts map[string]string) (*bytes.Buffer, error) {
	t.Helper()
	c, err := client.New(t.Context(), theLab.BuildkitAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // nothing to be done about it
	dirs, attrs := map[string]string{"context": dir, "dockerfile": dir}, map[string]string{"platform": "linux/amd64"}
	for name, of := range contexts {
		dirs[name], attrs["context:"+name] = of, "local:"+name
	}
	mounts, err := inprocess.Mounts(dirs)
	if err != nil {
		t.Fatal(err)
	}
	ctx, waited := waiting(t, "build")
	defer waited()
	var b bytes.Buffer
	_, err = c.Solve(ctx, nil, client.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: attrs,
		LocalMounts:   mounts,
		SharedKey:     dir,
		Exports: []client.ExportEntry{{Type: client.ExporterTar, Output: func(map[string]string) (io.WriteCloser, error) {
			return open{&b}, nil
		}}},
	}, nil)
	return &b, err
}

// filesOr are the files of an archive, or none where err is as it is to be.
func filesOr(t *testing.T, what string, archive *bytes.Buffer, err error, wantErr string) map[string]string {
	t.Helper()
	switch {
	case err == nil && wantErr == "":
		return rootfs(t, archive.Bytes())
	case err == nil || wantErr == "" || !strings.Contains(err.Error(), wantErr):
		t.Errorf("%s: got %v, want %q", what, err, wantErr)
	}
	return nil
}

func wantSame(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	names := maps.Clone(want)
	maps.Copy(names, got)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if got[name] != want[name] {
			t.Errorf("%s: /%s is\n  %q, COPY makes\n  %q", what, name, got[name], want[name])
		}
	}
}

// watched is a registry that tells what it was asked for.
type watched struct {
	mu   sync.Mutex
	asks []string
}

// watch makes a door to the lab's registry that keeps a record, and gives its address.
func watch(t *testing.T) (*watched, string) {
	t.Helper()
	w := &watched{}
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: theLab.Registry()})
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asks = append(w.asks, r.Method+" "+r.URL.RequestURI())
		w.mu.Unlock()
		proxy.ServeHTTP(rw, r)
	}))
	t.Cleanup(server.Close)
	return w, strings.TrimPrefix(server.URL, "http://")
}

func (w *watched) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.asks = nil }()
	return strings.Join(w.asks, "\n")
}

// A base of ours stays where it is: nobody pulls it, and a push mounts its layers. So it is with files in the folder of
// the app. What goes elsewhere has to be looked at.
func TestBaseStaysUnpulled(t *testing.T) {
	t.Parallel()
	app := sharedHello(t)
	write(t, app, "tool.sh", "#!/bin/sh\n")
	registry, host := watch(t)
	for _, tc := range []struct {
		name, files string
		pulled      bool
	}{
		{"the app alone", "", false},
		{"files in the app's folder", "files: [{from: tool.sh, to: /app/tools/}]\n", false},
		{"files elsewhere", "files: [{from: tool.sh, to: /opt/tools/}]\n", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			base, layer := pushLayout(t, usrMerged, v1.Config{Env: []string{"PATH=/usr/bin"}})
			_, repo, _ := strings.Cut(base, "/")
			spec := "# syntax=ghcr.io/crosshull/crosshull:1\nbase: {image: " + host + "/" + repo + "}\n"
			write(t, app, "crosshull.yaml", spec+tc.files)
			registry.take()
			mustSolve(t, app, platform("linux/amd64"), pushTo(host+"/e2e/unpulled-"+fresh()))
			log := registry.take()
			if pulled := strings.Contains(log, "GET /v2/"+repo+"/blobs/"+layer.String()); pulled != tc.pulled {
				t.Errorf("pulled: %v, want %v\n%s", pulled, tc.pulled, log)
			}
			if !tc.pulled {
				wantContains(t, "log", log, "?mount="+layer.String()+"&from="+repo)
			}
		})
	}
}
