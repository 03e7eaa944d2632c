package llb

import (
	"context"
	"errors"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/crosshull/crosshull/frontend/spec"
)

// tree is files by path: "folder", "file", or where a link leads to after "> ".
type tree map[string]string

// stat is a Stat of a tree that counts its questions, and fails as a daemon would at what is in no folder.
func (files tree) stat(t *testing.T, asked map[string]int) Stat {
	return func(_ context.Context, p string) (*fstypes.Stat, error) {
		t.Helper()
		if asked != nil {
			asked[p]++
		}
		if dir := path.Dir(p); dir != "/" && files[dir] != "folder" {
			t.Errorf("asked about %s, and %s is no folder", p, dir)
		}
		kind, ok := files[p]
		switch {
		case !ok:
			return nil, nil
		case kind == "folder":
			return &fstypes.Stat{Mode: uint32(os.ModeDir | os.ModeSticky | 0o777)}, nil
		case kind == "file":
			return &fstypes.Stat{Mode: 0o644}, nil
		}
		return &fstypes.Stat{Mode: uint32(os.ModeSymlink | 0o777), Linkname: strings.TrimPrefix(kind, "> ")}, nil
	}
}

var usrMerged = tree{
	"/usr": "folder", "/usr/bin": "folder", "/usr/bin/sh": "file",
	"/usr/bin/python": "> python3", "/usr/bin/python3": "file",
	"/bin": "> usr/bin", "/run": "folder", "/var": "folder", "/var/run": "> ../run", "/var/lock": "> /run/lock/./deep",
	"/loop": "> other", "/other": "> /loop", "/out": "> ../../..", "/up": "> /usr/bin/../../run", "/root": "> /",
	"/file": "file",
}

func TestLook(t *testing.T) {
	for _, tc := range []struct {
		path string
		want Spot
	}{
		{"/", Spot{Path: "/", Taken: true}},
		{"/opt/tools/tool.sh", Spot{Path: "/opt/tools/tool.sh"}},
		{"/usr/share/x", Spot{Path: "/usr/share/x", Taken: true, Folder: "/usr"}},
		{"/usr/bin", Spot{Path: "/usr/bin", Taken: true, Folder: "/usr/bin"}},
		{"/bin", Spot{Path: "/usr/bin", Taken: true, Folder: "/usr/bin"}},
		{"/bin/tool.sh", Spot{Path: "/usr/bin/tool.sh", Taken: true, Folder: "/usr/bin"}},
		{"/bin/sh", Spot{Path: "/usr/bin/sh", Taken: true, Folder: "/usr/bin"}},
		{"/bin/python", Spot{Path: "/usr/bin/python3", Taken: true, Folder: "/usr/bin"}},
		{"/var/run/app", Spot{Path: "/run/app", Taken: true, Folder: "/run"}},
		{"/var/lock/app", Spot{Path: "/run/lock/deep/app", Taken: true, Folder: "/run"}},
		{"/out", Spot{Path: "/", Taken: true}},
		{"/out/new/x", Spot{Path: "/new/x", Taken: true}},
		{"/root", Spot{Path: "/", Taken: true}},
		{"/up/x", Spot{Path: "/run/x", Taken: true, Folder: "/run"}},
		{"/loop/x", Spot{Path: "/loop/x", Taken: true}},
		{"/file", Spot{Path: "/file", Taken: true}},
		{"/file/x", Spot{Path: "/file/x", Taken: true}},
	} {
		t.Run(tc.path, func(t *testing.T) {
			asked := map[string]int{}
			ground, err := Look(t.Context(), []string{tc.path, tc.path}, usrMerged.stat(t, asked))
			if err != nil {
				t.Fatal(err)
			}
			got := ground[tc.path]
			_, there := usrMerged[got.Path]
			if there != (got.Stat != nil) && got.Path != "/loop/x" {
				t.Errorf("there is %v at %s", got.Stat, got.Path)
			}
			if got.Stat = nil; got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
			for p, n := range asked {
				if n > 1 {
					t.Errorf("asked %d times about %s", n, p)
				}
			}
		})
	}
}

func TestLookAtApp(t *testing.T) {
	app := tree{
		"/srv/app": "folder", "/srv/app/app.dll": "file", "/srv/app/wwwroot": "folder", "/srv/app/wwwroot/css": "folder",
	}
	for p, want := range map[string]string{
		"/":                           "",
		"/etc/x":                      "",
		"/srvs":                       "",
		"/srv":                        "/srv",
		"/srv/data":                   "/srv",
		"/srv/app":                    "/srv/app",
		"/srv/app/data/x":             "/srv/app",
		"/srv/app/app.dll":            "/srv/app",
		"/srv/app/wwwroot/css":        "/srv/app/wwwroot/css",
		"/srv/app/wwwroot/css/my.css": "/srv/app/wwwroot/css",
	} {
		ground := look(t, "/srv/app/", []string{p}, nil, app)
		if got := ground[p]; got != (Spot{Path: p, App: want}) {
			t.Errorf("%s: got %+v, want %s", p, got, want)
		}
	}
}

func TestLookFails(t *testing.T) {
	broken := errors.New("no answer")
	fail := func(context.Context, string) (*fstypes.Stat, error) { return nil, broken }
	if _, err := Look(t.Context(), []string{"/app/x"}, fail); !errors.Is(err, broken) {
		t.Errorf("of the base: %v", err)
	}
	ground, err := Look(t.Context(), []string{"/app/x"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ground.WithApp(t.Context(), "/app", fail); !errors.Is(err, broken) {
		t.Errorf("of the app: %v", err)
	}
}

// look is a Look at both.
func look(t *testing.T, dir string, paths []string, base, app tree) Ground {
	t.Helper()
	var ofBase, ofApp Stat
	if base != nil {
		ofBase = base.stat(t, nil)
	}
	if app != nil {
		ofApp = app.stat(t, nil)
	}
	ground, err := Look(t.Context(), paths, ofBase)
	if err != nil {
		t.Fatal(err)
	}
	if ground, err = ground.WithApp(t.Context(), dir, ofApp); err != nil {
		t.Fatal(err)
	}
	return ground
}

func TestMustLook(t *testing.T) {
	image := llb.Image("base")
	silent := &dockerspec.DockerOCIImage{}
	silent.Config.WorkingDir = "/"
	silent.Config.Env = []string{"PATH=/usr/local/bin:/bin", "HOME=/home/app", "X=/apps:/application/app.d"}
	silent.History = []ocispecs.History{
		{CreatedBy: "RUN useradd --create-home app"}, {CreatedBy: "COPY ./app /usr/src/app"},
	}
	inApp := []spec.File{{To: "/app/"}, {From: spec.Paths{"x"}, To: "/app//x"}}
	for _, tc := range []struct {
		name   string
		base   llb.State
		config *dockerspec.DockerOCIImage
		dir    string
		files  []spec.File
		want   bool
	}{
		{"the app alone", image, silent, "/app", nil, false},
		{"files in the app's folder", image, silent, "/app/", inApp, false},
		{"files elsewhere", image, silent, "/app", append(inApp, spec.File{To: "/data/"}), true},
		{"a name that begins the same", image, silent, "/app", []spec.File{{To: "/apps"}}, true},
		{"another folder", image, silent, "/usr/src/app", nil, true},
		{"nothing known", image, nil, "/app", nil, true},
		{"an empty base", llb.Scratch(), nil, "/usr/src/app", inApp, false},
	} {
		if got := MustLook(tc.base, tc.config, tc.dir, tc.files); got != tc.want {
			t.Errorf("%s: got %v", tc.name, got)
		}
	}
}

func TestDestinations(t *testing.T) {
	files := []spec.File{{To: "/data/"}, {To: "/app//x"}, {To: "/data"}, {To: "/"}}
	if got := strings.Join(Destinations("app/", files), " "); got != "/app /data /app/x /" {
		t.Errorf("got %q", got)
	}
}

// A configuration mentions a folder in many ways.
func TestSpeaksOf(t *testing.T) {
	for name, change := range map[string]func(*dockerspec.DockerOCIImage){
		"work directory": func(i *dockerspec.DockerOCIImage) { i.Config.WorkingDir = "/app/" },
		"search path":    func(i *dockerspec.DockerOCIImage) { i.Config.Env = []string{"PATH=/bin:/app/bin"} },
		"volume":         func(i *dockerspec.DockerOCIImage) { i.Config.Volumes = map[string]struct{}{"/app/data": {}} },
		"entrypoint":     func(i *dockerspec.DockerOCIImage) { i.Config.Entrypoint = []string{"sh", "-c", "exec /app/run"} },
		"command":        func(i *dockerspec.DockerOCIImage) { i.Config.Cmd = []string{"//app"} },
		"shell":          func(i *dockerspec.DockerOCIImage) { i.Config.Shell = []string{"/app/sh"} },
		"on build":       func(i *dockerspec.DockerOCIImage) { i.Config.OnBuild = []string{`COPY . "/app"`} },
		"history": func(i *dockerspec.DockerOCIImage) {
			i.History = []ocispecs.History{{CreatedBy: "COPY dist /app # buildkit"}}
		},
		"health check": func(i *dockerspec.DockerOCIImage) {
			i.Config.Healthcheck = &dockerspec.HealthcheckConfig{Test: []string{"CMD", "/app/check"}}
		},
	} {
		img := &dockerspec.DockerOCIImage{}
		if mentions(img, "/app") {
			t.Fatal("an empty configuration mentions a folder")
		}
		if change(img); !mentions(img, "/app") || !MustLook(llb.Image("base"), img, "/app", nil) {
			t.Errorf("%s: not heard", name)
		}
	}
}

// A layer that has nothing in its way is merged; one that has is copied onto the base and the layers before it, and
// those after it are merged onto that. Without merge support all are copied.
func TestImageOnGround(t *testing.T) {
	base := llb.Image("base@" + digest.FromString("base").String())
	part := func(name string) llb.State {
		return llb.Scratch().File(llb.Mkdir("/app/"+name, 0o755), llb.WithCustomName(name))
	}
	files := []spec.File{
		{From: spec.Paths{"tool.sh"}, To: "/bin/tool.sh"}, {To: "/usr/data", Owner: "1"}, {To: "/app/x", Owner: "1"},
	}
	noMerge := []apicaps.CapID{pb.CapMergeOp}
	for _, tc := range []struct {
		name    string
		base    tree
		files   []spec.File
		missing []apicaps.CapID
		want    string
	}{
		{"free", nil, nil, nil, "merge base and app(base packages app)"},
		{"files in free places", nil, files[2:], nil, "merge base and app(base packages add files app)"},
		{
			"files on the base", usrMerged, files, nil,
			"merge base and app(copy files onto base(merge base and app(base packages)) app)",
		},
		{
			"the app on the base", tree{"/app": "folder"}, nil, nil,
			"copy app onto base(copy app onto base(base packages) app)",
		},
		{
			"no merge", usrMerged, files, noMerge,
			"copy app onto base(copy files onto base(copy app onto base(base packages)) app)",
		},
		{"no merge, free", nil, nil, noMerge, "copy app onto base(copy app onto base(base packages) app)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := builder(tc.missing...)
			b.Context = llb.Scratch()
			ground := look(t, "/app", Destinations("/app", tc.files), tc.base, nil)
			layers := []Layer{AppLayer(part("packages"), "/app", ground), AppLayer(part("app"), "/app", ground)}
			if len(tc.files) > 0 {
				extra, err := b.Files(entries(b, llb.Scratch(), tc.files...), "1654", ground)
				if err != nil {
					t.Fatal(err)
				}
				layers = slices.Insert(layers, 1, *extra)
			}
			if got := shape(t, marshal(t, b.Image(base, amd64, layers...))); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
		})
	}
}

// An empty base leaves nothing to put layers onto.
func TestImageOnScratch(t *testing.T) {
	for _, tc := range []struct {
		missing []apicaps.CapID
		want    string
	}{
		{nil, "merge base and app(a b)"},
		{[]apicaps.CapID{pb.CapMergeOp}, "copy app onto base(copy app onto base(a) b)"},
	} {
		var layers []Layer
		for _, name := range []string{"a", "b"} {
			st := llb.Scratch().File(llb.Mkdir("/app/"+name, 0o755), llb.WithCustomName(name))
			layers = append(layers, AppLayer(st, "/app", nil))
		}
		if got := shape(t, marshal(t, builder(tc.missing...).Image(llb.Scratch(), amd64, layers...))); got != tc.want {
			t.Errorf("without %v: got %s, want %s", tc.missing, got, tc.want)
		}
	}
}

// shape tells of a graph: names of vertices, and of what each is made of.
func shape(t *testing.T, def *llb.Definition) string {
	t.Helper()
	all := ops(t, def)
	var tell func(dgst digest.Digest) string
	tell = func(dgst digest.Digest) string {
		if all[dgst].GetSource() != nil {
			return "base"
		}
		var inputs []string
		for _, in := range all[dgst].Inputs {
			inputs = append(inputs, tell(digest.Digest(in.Digest)))
		}
		name := def.Metadata[dgst].Description["llb.customname"]
		name = strings.TrimPrefix(strings.TrimPrefix(name, "[image linux/amd64] "), "[image] ")
		if len(inputs) > 0 {
			name += "(" + strings.Join(inputs, " ") + ")"
		}
		return name
	}
	head, err := def.Head()
	if err != nil {
		t.Fatal(err)
	}
	return tell(head)
}

// Whatever gets an entry after it was made gets its time again, where it is known to be a folder.
func TestChanged(t *testing.T) {
	for name, tc := range map[string]struct {
		files []spec.File
		want  string
	}{
		"a file in a new folder":       {[]spec.File{{From: spec.Paths{"x"}, To: "/opt/a/x"}}, "/opt /opt/a"},
		"a new folder, by its slash":   {[]spec.File{{From: spec.Paths{"x"}, To: "/opt/a/"}}, "/opt /opt/a"},
		"what may be a file":           {[]spec.File{{From: spec.Paths{"x"}, To: "/x"}}, ""},
		"an empty folder":              {[]spec.File{{To: "/data/deep"}}, "/data /data/deep"},
		"a file in a folder of a base": {[]spec.File{{From: spec.Paths{"x"}, To: "/bin/x"}}, "/usr/bin"},
		"a folder of a base":           {[]spec.File{{From: spec.Paths{"x"}, To: "/bin"}}, "/usr/bin"},
		"below a folder of a base":     {[]spec.File{{From: spec.Paths{"x"}, To: "/bin/new/x"}}, "/usr/bin /usr/bin/new"},
		"two in a folder of a base": {[]spec.File{
			{From: spec.Paths{"x"}, To: "/bin/x"}, {From: spec.Paths{"x"}, To: "/usr/bin/y"},
		}, "/usr/bin"},
		"the root alone":           {[]spec.File{{To: "/"}}, ""},
		"the root":                 {[]spec.File{{From: spec.Paths{"x"}, To: "/"}, {To: "/"}}, ""},
		"the folder of the app":    {[]spec.File{{From: spec.Paths{"x"}, To: "/srv"}}, "/srv"},
		"in the folder of the app": {[]spec.File{{From: spec.Paths{"x"}, To: "/srv/app/x"}}, "/srv /srv/app"},
		"one that fails":           {[]spec.File{{From: spec.Paths{"x"}, To: "/file/x"}}, "/file"},
	} {
		ground := look(t, "/srv/app", Destinations("/srv/app", tc.files), usrMerged, nil)
		if got := strings.Join(changed(entries(builder(), llb.Scratch(), tc.files...), ground), " "); got != tc.want {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

func TestUnixMode(t *testing.T) {
	for mode, want := range map[os.FileMode]os.FileMode{
		os.ModeDir | 0o755:                            0o755,
		os.ModeDir | os.ModeSticky | 0o777:            0o1777,
		os.ModeSetuid | 0o755:                         0o4755,
		os.ModeDir | os.ModeSetgid | 0o775:            0o2775,
		os.ModeSetuid | os.ModeSetgid | os.ModeSticky: 0o7000,
	} {
		if got := unixMode(mode); got != want {
			t.Errorf("%v: got %o, want %o", mode, got, want)
		}
	}
}
