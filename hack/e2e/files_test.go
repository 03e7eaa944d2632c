package e2e

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/solver/pb"
	"github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// shop serves files by name, and remembers what was asked for.
type shop struct {
	*httptest.Server
	mu    sync.Mutex
	files map[string][]byte
	asks  []string
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{files: map[string][]byte{}}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asks = append(s.asks, r.Method+" "+r.URL.Path)
		dt, ok := s.files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(dt)
	}))
	t.Cleanup(s.Close)
	return s
}

// put serves a file, and gives its checksum.
func (s *shop) put(name string, dt []byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[name] = dt
	return fmt.Sprintf("sha256:%x", sha256.Sum256(dt))
}

func gzipped(t *testing.T, dt []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(dt); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// oneTop and severalTops are what archives have: with one topmost folder, and with two, and files beside them.
const (
	oneTop      = "tool-1.2 0700 7:8\ntool-1.2/bin 0700 7:8\ntool-1.2/bin/tool = tool\ntool-1.2/latest > bin/tool"
	severalTops = "readme = beside\nalias > a\na 0755\na/x = of a\na/both 0755\na/both/1 = 1\n" +
		"b 0755\nb/y = of b\nb/both 0755\nb/both/2 = 2\nb/both/sub 0755\nb/both/sub/deep = deep"
)

// entries are lists of files, and what they make of the image, or the error that they give.
func (s *shop) entries(t *testing.T, git string) []entries {
	t.Helper()
	plainFile := s.put("/ca.pem", []byte("certificate\n"))
	one := s.put("/one.tar.gz", gzipped(t, layerOf(t, oneTop)))
	several := s.put("/several.tar", layerOf(t, severalTops))
	noArchive := s.put("/tool.zip", []byte("PK\x03\x04 not a tar"))
	at := func(name, sum string) string { return "from: '" + s.URL + name + "', checksum: '" + sum + "'" }
	return []entries{
		{name: "folders above a folder", files: "{to: /new/a/b, mode: '1777', owner: '3:4'}",
			want: "new/a/b: 5 1777 3:4\nnew/a: 5 0755 0:0\nnew: 5 0755 0:0"},
		{name: "a link", files: "{link: /usr/bin/app, to: /app/place.dll}",
			want: "usr/bin/app: 2 0777 0:0 /app/place.dll 1980"},
		{name: "a link in a folder that is a link", files: "{link: /bin/app, to: /app/place.dll}",
			want: "usr/bin/app: 2 0777 0:0 /app/place.dll 1980"},
		{name: "a link in place of a link and of a file",
			files: "{link: /etc/link.conf, to: /etc/conf}, {link: /usr/bin/tool.sh, to: /bin/sh}",
			want: "etc/link.conf: 2 0777 0:0 /etc/conf\nusr/bin/tool.sh: 2 0777 0:0 /bin/sh\n" +
				"etc/app.conf: 0 0644 0:0 2001"},
		{name: "a link to a folder of the spec", files: "{to: /data/own}, {link: /opt/a/b, to: /data/own}",
			want: "opt/a/b: 2 0777 0:0 /data/own\nopt/a: 5 0755 0:0"},
		{name: "a link to nothing", files: "{link: /opt/a, to: /app/missing}",
			err: "the link /opt/a leads nowhere: the image for linux/amd64 has nothing at /app/missing"},
		{name: "links in a loop", files: "{link: /opt/a, to: /opt/b}, {link: /opt/b, to: /opt/a}",
			err: "the link /opt/a leads nowhere"},
		{name: "a link to itself", files: "{link: /opt/a, to: /opt/a}", err: "the link /opt/a leads nowhere"},
		{name: "a link where a folder is", files: "{link: /etc/conf, to: /app}",
			err: "/etc/conf is a folder of the base, which a link does not replace"},
		{name: "a link where a folder was", files: "{remove: /etc/conf}, {link: /etc/conf, to: /app}",
			want: "etc/conf: 2 0777 0:0 /app", gone: "etc/conf/sub"},
		{name: "remove of the app", files: "{remove: ['/app/*.pdb', /app/runtimes]}",
			gone: "app/place.pdb app/runtimes", want: "app/place.dll: 0 0644 0:0"},
		{name: "remove of the base", files: "{remove: [/etc/conf, '/usr/bin/too?.sh', /var/run]}",
			gone: "etc/conf etc/conf/sub/kept usr/bin/tool.sh var/run",
			want: "run: 5 0755 0:0\nusr/bin/sh: 0 0644 0:0 2001"},
		{name: "remove through a link", files: "{remove: '/bin/t*'}", gone: "usr/bin/tool.sh",
			want: "bin: 2 0777 0:0 usr/bin"},
		{name: "remove of an entry before", files: "{from: conf, to: /opt/conf}, {remove: '/opt/conf/*.conf'}",
			gone: "opt/conf/a.conf", want: "opt/conf/sub/b.conf: 0 0644 0:0"},
		{name: "the order of the list", files: "{remove: /etc/conf}, {from: conf, to: /etc/conf}",
			gone: "etc/conf/sub/kept", want: "etc/conf/a.conf: 0 0644 0:0\netc/conf: 5 0755 0:0"},
		{name: "remove of nothing", files: "{remove: /app/*.missing}",
			err: "remove: the image for linux/amd64 has nothing at /app/*.missing"},
		{name: "remove of nothing, elsewhere", files: "{remove: [/etc/conf, /opt/missing]}",
			err: "remove: the image for linux/amd64 has nothing at /opt/missing"},
		{name: "remove of the folder of the app", files: "{remove: /app}",
			err: "remove: the app is in /app: name the files to remove"},
		{name: "change of the app", files: "{change: '/app/place.*', mode: '0755'}, {change: /app/place.dll, owner: '3:4'}",
			want: "app/place.dll: 0 0755 3:4\napp/place.pdb: 0 0755 0:0\napp: 5 0755 0:0"},
		{name: "change of all of the app", files: "{change: /app, owner: '3:4'}, {change: /app/place.dll, owner: '0'}",
			want: "app/place.dll: 0 0644 0:0\napp/place.pdb: 0 0644 3:4\napp: 5 0755 3:4"},
		{name: "change of the base", files: "{change: /etc/conf, owner: '3:4'}, {change: /usr/bin/sh, mode: '0755'}",
			want: "etc/conf: 5 0711 3:4\netc/conf/sub/kept: 0 0644 3:4 2001\nusr/bin/sh: 0 0755 0:0 2001\netc: 5 0755 0:0"},
		{name: "change of an entry before", files: "{from: conf, to: /opt/conf}, {change: /opt/conf/sub, mode: '0700'}",
			want: "opt/conf/sub: 5 0700 0:0\nopt/conf/sub/b.conf: 0 0700 0:0\nopt/conf/a.conf: 0 0644 0:0\n" +
				"opt/conf: 5 0755 0:0"},
		{name: "change of nothing", files: "{change: /opt/x, mode: '0700'}",
			err: "change: the image for linux/amd64 has nothing at /opt/x"},
		{name: "several files", files: "{from: [tool.sh, 'conf/*.conf', 'c*f/sub'], to: /opt/}",
			want: "opt/tool.sh: 0 0644 0:0\nopt/a.conf: 0 0644 0:0\nopt/b.conf: 0 0644 0:0"},
		{name: "a pattern for nothing", files: "{from: 'conf/*.txt', to: /opt/}",
			err: "nothing in the context matches conf/*.txt"},
		{name: "a pattern for several files", files: "{from: 't*', to: /opt}",
			err: "t* matches 3 files: write a / at the end of to"},
		{name: "what is left out", files: "{from: root, to: /opt, exclude: ['etc/*.conf', '**/sub']}",
			want: "opt/opt/tree/leaf: 0 0644 0:0\nopt/etc/conf: 5 0755 0:0", gone: "opt/etc/new.conf opt/etc/conf/sub"},
		{name: "what is left out of a pattern", files: "{from: 'conf/*', to: /opt/, exclude: ['b.*', 'a.*']}",
			gone: "opt/a.conf opt/b.conf"},
		{name: "a file from an address", files: "{" + at("/ca.pem", plainFile) + ", to: /etc/ssl/}",
			want: "etc/ssl/ca.pem: 0 0644 0:0 1980"},
		{name: "a file from an address, renamed",
			files: "{" + at("/ca.pem?a=b", plainFile) + ", to: /bin/x, mode: '4755', owner: '3:4'}",
			want:  "usr/bin/x: 0 4755 3:4 1980"},
		{name: "a file without a checksum", files: "{from: '" + s.URL + "/ca.pem?token=abc', to: /x}",
			err: s.URL + "/ca.pem needs a checksum, so that every build gets the same file: if you trust what is there " +
				"now, write checksum: " + plainFile},
		{name: "a file with another checksum", files: "{" + at("/ca.pem", one) + ", to: /x}",
			err: s.URL + "/ca.pem has the checksum " + plainFile + ", and the spec says " + one},
		{name: "a file that is not there", files: "{" + at("/missing", plainFile[:70]+"f") + ", to: /x}",
			err: s.URL + "/missing has the checksum sha256:"},
		{name: "an archive",
			files: "{" + at("/one.tar.gz", one) + ", unpack: true, to: /opt/tool}",
			want:  "opt/tool/tool-1.2/bin/tool: 0 0644 0:0 1980\nopt/tool/tool-1.2: 5 0700 0:0"},
		{name: "an archive with one folder",
			files: "{" + at("/one.tar.gz", one) + ", unpack: true, strip: 1, to: /opt/tool}",
			want:  "opt/tool/bin/tool: 0 0644 0:0 1980\nopt/tool/latest: 2 0777 0:0 bin/tool\nopt/tool: 5 0755 0:0"},
		{name: "an archive with several folders",
			files: "{" + at("/several.tar", several) + ", unpack: true, strip: 1, to: /opt, owner: '3:4'}",
			want:  "opt/x: 0 0644 3:4\nopt/y: 0 0644 3:4\nopt/both/1: 0 0644 3:4\nopt/both/2: 0 0644 3:4",
			gone:  "opt/readme opt/alias opt/a"},
		{name: "an archive, deeper",
			files: "{" + at("/several.tar", several) + ", unpack: true, strip: 3, to: /opt, exclude: [x]}",
			want:  "opt/deep: 0 0644 0:0", gone: "opt/x opt/1"},
		{name: "an archive that is not so deep",
			files: "{" + at("/several.tar", several) + ", unpack: true, strip: 4, to: /opt}",
			err:   "strip: 4 leaves nothing of " + s.URL + "/several.tar: no path in it has more than 4 names"},
		{name: "no archive", files: "{" + at("/tool.zip", noArchive) + ", unpack: true, to: /opt}",
			err: s.URL + "/tool.zip is no tar archive"},
		{name: "an archive of the context", files: "{from: tools.tar, unpack: true, strip: 1, to: /opt}",
			want: "opt/bin/tool: 0 0644 0:0 1980"},
		{name: "a repository",
			files: "{from: '" + git + "#v1:deploy', to: /opt/deploy, exclude: [no.txt]}",
			want:  "opt/deploy/run.sh: 0 0755 0:0 1980", gone: "opt/deploy/no.txt opt/deploy/.git"},
		{name: "a repository without that reference", files: "{from: '" + git + "#v7', to: /opt}", err: "v7"},
		{name: "an image", files: "{image: IMAGE, from: [/etc/os-release, '/etc/*.conf'], to: /opt/}",
			want: "opt/os-release: 0 0644 0:0 1980"},
		{name: "the modes of an image", files: "{image: BASE, from: [/etc/shadow, /usr/bin/su], to: /opt/}",
			want: "opt/shadow: 0 0640 0:0\nopt/su: 0 4755 0:0"},
		{name: "the modes of a folder of an image", files: "{image: BASE, from: /etc, to: /opt/etc}",
			want: "opt/etc/conf: 5 0711 0:0\nopt/etc: 5 0755 0:0"},
		{name: "a mode for files of an image", files: "{image: BASE, from: /etc/shadow, to: /opt/, mode: '0600'}",
			want: "opt/shadow: 0 0600 0:0"},
	}
}

type entries struct {
	name, files string
	want        string // lines: a path, then how rootfs's text of it begins, then its year where that matters
	gone        string // paths that are not there
	err         string
}

// Entries of files do what they say, onto a base with all kinds of files, with merge support and without.
func TestFiles(t *testing.T) {
	t.Parallel()
	app, _ := placeApp(t)
	write(t, app, "tools.tar", string(layerOf(t, oneTop)))
	s := newShop(t)
	served := t.TempDir()
	write(t, served, "deploy/run.sh", "#!/bin/sh\n")
	write(t, served, "deploy/no.txt", "no\n")
	command(t, served, "chmod", "+x", "deploy/run.sh")
	image := theLab.Registry() + "/dotnet/runtime:10.0"
	config := v1.Config{Env: []string{"PATH=/usr/bin"}}
	base, _ := pushLayout(t, usrMerged+"\netc/shadow 0640 0:42 = secret\nusr/bin/su 4755 0:0 = su", config)
	for _, tc := range s.entries(t, gitServer(t, served)) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			command(t, dir, "cp", "--archive", app+"/.", dir)
			files := strings.NewReplacer("IMAGE", image, "BASE", base).Replace(tc.files)
			write(t, dir, "crosshull.yaml", layout{files: files}.spec(base))
			got := built(t, dir, tc.err)
			for line := range strings.Lines(tc.want) {
				name, want, _ := strings.Cut(strings.TrimSpace(line), ": ")
				if !tells(got[name], want) {
					t.Errorf("/%s is %q, want %q", name, got[name], want)
				}
			}
			for _, name := range strings.Fields(tc.gone) {
				if told, ok := got[name]; ok {
					t.Errorf("/%s is %q, and should not be there", name, told)
				}
			}
			wantSame(t, "copied", built(t, dir, tc.err, without(pb.CapMergeOp)), got)
		})
	}
}

// tells tells whether what rootfs says of a file begins with want. If want ends with a year, the file has to be of that
// year.
func tells(told, want string) bool {
	words := strings.Fields(want)
	last := words[len(words)-1]
	if last == "1980" || last == "2001" {
		return strings.HasPrefix(told, strings.TrimSuffix(want, " "+last)) && strings.Contains(told, " "+last+"-")
	}
	return strings.HasPrefix(told, want)
}

// Each platform gets files of its own: of an image, and from an address with a checksum for each. What is removed of
// the app is in no layer, and what is removed of the base is hidden. Built again, all is the same, bit by bit. What an
// address has after its ? is in no log.
func TestFilesOfPlatforms(t *testing.T) {
	t.Parallel()
	dir, s := sharedHello(t), newShop(t)
	sums := map[string]string{}
	for _, arch := range []string{"amd64", "arm64"} {
		sums[arch] = s.put("/tool-"+arch, []byte("tool of "+arch))
	}
	const spec = `# syntax=ghcr.io/crosshull/crosshull:1
args: {TARGETARCH: }
files:
  - {image: %[1]s/dotnet/runtime:10.0, from: [/usr/share/dotnet/dotnet, "/etc/host*"], to: /opt/}
  - {from: "%[2]s/tool-${TARGETARCH}?token=hidden", checksum: %[3]s, to: /usr/local/bin/tool, mode: "0755"}
  - {link: /usr/local/bin/hello, to: /app/hello.dll}
  - {remove: [/app/*.pdb, /etc/os-release]}
  - {change: /app/hello.dll, owner: "7:8"}
`
	write(t, dir, "crosshull.yaml", fmt.Sprintf(spec, theLab.Registry(), s.URL, "{}"))
	_, err := solve(t, dir, platform("linux/amd64,linux/arm64"))
	want := "write checksum: {linux/amd64: " + sums["amd64"] + ", linux/arm64: " + sums["arm64"] + "}"
	if err == nil || !strings.Contains(err.Error(), "crosshull.yaml:5: ") || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	write(t, dir, "crosshull.yaml", fmt.Sprintf(spec, theLab.Registry(), s.URL,
		"{amd64: '"+sums["amd64"]+"', linux/arm64: '"+sums["arm64"]+"'}"))
	layers := map[string][]digest.Digest{}
	for range 2 {
		repo := repository(t)
		rec := mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo), attr("no-cache", "image"))
		log := strings.Join(slices.Concat(rec.ran, rec.cached), "\n") + rec.log // a summary can be cached
		if strings.Contains(log, "hidden") {
			t.Errorf("the log has the token:\n%s", log)
		}
		wantContains(t, "log", log, "[summary] removed /etc/os-release", "[image] "+s.URL+"/tool-arm64")
		for arch, machine := range map[string]byte{"amd64": 0x3e, "arm64": 0xb7} {
			image, ids := contentOf(t, repo, theLab.Registry()+"/dotnet/runtime:10.0", arch)
			if before := layers[arch]; before != nil && !slices.Equal(before, ids) {
				t.Errorf("%s: built again, it has layers %q, and had %q", arch, ids, before)
			}
			layers[arch] = ids
			if elf := image["opt/dotnet"]; elf == nil || len(elf.data) < 20 || elf.data[18] != machine {
				t.Errorf("%s: /opt/dotnet is for another machine", arch)
			}
			if tool := image["usr/local/bin/tool"]; tool == nil || string(tool.data) != "tool of "+arch {
				t.Errorf("%s has the tool %v", arch, tool)
			}
			names := slices.Sorted(maps.Keys(image))
			if image["etc/os-release"] != nil || image["etc/.wh.os-release"] == nil {
				t.Errorf("%s: /etc/os-release is there, or in no whiteout of %q", arch, names)
			}
			if slices.ContainsFunc(names, func(name string) bool { return strings.HasSuffix(name, ".pdb") }) {
				t.Errorf("%s: a layer has the removed file: %q", arch, names)
			}
		}
	}
}

// contentOf gives the files, whiteouts among them, in the layers that an image has on its base, by name. ids are those
// of all its layers.
func contentOf(t *testing.T, repo, base, arch string) (files map[string]*file, ids []digest.Digest) {
	t.Helper()
	host, name, _ := strings.Cut(base, "/")
	name, tag, _ := strings.Cut(name, ":")
	var idx ocispecs.Index
	fetch(t, host+"/"+name, "manifests/"+tag, &idx)
	var below []ocispecs.Descriptor
	for _, m := range idx.Manifests {
		if m.Platform.Architecture == arch {
			below = append(below, image(t, host+"/"+name, m).Layers...)
		}
	}
	_, images := index(t, repo)
	img := images["linux/"+arch]
	files = map[string]*file{}
	for i, layer := range img.Layers {
		if i < len(below) {
			if layer.Digest != below[i].Digest {
				t.Fatalf("layer %d is not that of the base", i)
			}
			continue
		}
		maps.Copy(files, layerFiles(t, repo, layer))
	}
	return files, img.Config.RootFS.DiffIDs
}

// The Dockerfile that a user can leave with makes the same files.
func TestFilesInDockerfile(t *testing.T) {
	t.Parallel()
	needDockerfileFrontend(t)
	app, _ := placeApp(t)
	write(t, app, "tools.tar", string(layerOf(t, oneTop)))
	s := newShop(t)
	ca, several := s.put("/ca.pem", []byte("certificate\n")), s.put("/several.tar", layerOf(t, severalTops))
	served := t.TempDir()
	write(t, served, "deploy/run.sh", "#!/bin/sh\n")
	write(t, served, "deploy/no.txt", "no\n")
	base, _ := pushLayout(t, usrMerged, v1.Config{Env: []string{"PATH=/usr/bin"}})
	write(t, app, "crosshull.yaml", layout{files: `
  {to: /data/own, owner: '3:4'},
  {link: /usr/local/bin/app, to: /app/place.dll},
  {from: [tool.sh, 'conf/*.conf'], to: /opt/files/},
  {from: root, to: /opt/root, exclude: ['etc/*.conf']},
  {from: 'conf/*', to: /opt/some/, exclude: ['a.*']},
  {from: tools.tar, unpack: true, to: /opt/archive},
  {from: tools.tar, unpack: true, strip: 1, to: /opt/stripped, owner: '3:4'},
  {from: tools.tar, unpack: true, to: /opt/chosen, exclude: ['**/latest']},
  {from: tools.tar, unpack: true, strip: 1, to: /opt/deeper, exclude: [latest]},
  {from: tools.tar, unpack: true, to: /opt/closed, mode: '0750'},
  {from: '` + gitServer(t, served) + `#v1:deploy', to: /opt/deploy, exclude: [no.txt]},
  {from: '` + s.URL + `/ca.pem', checksum: '` + ca + `', to: /opt/ca/},
  {from: '` + s.URL + `/several.tar', checksum: '` + several + `', unpack: true, strip: 1, to: /opt/several},
  {image: ` + base + `, from: [/usr/bin/sh, '/etc/*.conf'], to: /opt/image/},
  {remove: [/app/*.pdb, /app/runtimes]},
  {change: '/app/place.*', mode: '0750'},
  {change: /app/place.dll, owner: '3:4'},
  {change: /etc/conf, owner: '3:4'}`}.spec(base))
	text := answerOf(t, app, "dockerfile", "--platform", "linux/amd64")
	write(t, app, "Dockerfile.ours", text)
	archive := filepath.Join(t.TempDir(), "image.tar")
	build(t, app, "-f", "Dockerfile.ours", "--platform", "linux/amd64", "--output", "type=tar,dest="+archive, ".")
	dt, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	only := func(all map[string]string) map[string]string {
		kept := map[string]string{}
		for name, told := range all {
			switch packages := strings.HasPrefix(name, "app/") && !strings.HasPrefix(name, "app/place."); {
			case packages: // the Dockerfile keeps the modes that packages have
				kept[name] = "there"
			case !strings.HasPrefix(told, "5 "):
				kept[name] = told[:strings.LastIndex(told, " ")] // without the time
			case name == "data/own":
				kept[name] = told
			}
		}
		return kept
	}
	wantSame(t, "crosshull", only(built(t, app, "")), only(rootfs(t, dt)))
	if t.Failed() {
		t.Log(text)
	}
}
