package llb

import (
	"context"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/crosshull/crosshull/frontend/spec"
)

// Stat tells what is at an absolute path; nil if nothing is there. It does not follow links. The path has to be in the
// root, or in a folder that Stat has told about.
type Stat func(ctx context.Context, path string) (*fstypes.Stat, error)

// Ground is what the base has at the [Destinations] of an image's layers. Its keys are the paths as the project and the
// spec write them. At other paths nothing is in the way.
type Ground map[string]Spot

// Spot is what the base has at a path of an image, and on the way to it.
type Spot struct {
	// Path is where the path leads if links are followed as COPY does (containerd/continuity, fs.RootPath).
	Path string
	// Taken tells whether the base has something at the path or on the way to it, which a merge would replace.
	Taken bool
	// Folder is the deepest folder of the base on the way, Path included. It is empty if that is the root.
	Folder string
	// Stat is what the base has at Path; nil if nothing is there.
	Stat *fstypes.Stat
	// App is the deepest folder on the way that the app's layers make, Path included. It is empty if they make none.
	App string
}

// at gives the spot of a path.
func (g Ground) at(p string) Spot {
	p = clean(p)
	if spot, ok := g[p]; ok {
		return spot
	}
	return Spot{Path: p}
}

// clean gives equal paths the same spelling.
func clean(p string) string { return path.Clean("/" + p) }

// Destinations are the paths that the layers of an image write to: dir, for the app and its launcher, and the paths of
// files. The work directory and the volumes are not among them, because only the configuration has those.
func Destinations(dir string, files []spec.File) []string {
	all := []string{clean(dir)}
	for _, f := range files {
		for _, place := range f.Place() {
			if to := clean(place); !slices.Contains(all, to) {
				all = append(all, to)
			}
		}
	}
	return all
}

// MustLook tells whether we have to look at [Destinations] in the base. Looking means to pull the base. There is no
// need if the base is empty. There is none either if all files go to /app, and the configuration of the base does not
// mention /app, like Microsoft's. If such a base has something at /app all the same, our layers replace it, as COPY
// --link does. config is nil if it is not known.
func MustLook(base llb.State, config *dockerspec.DockerOCIImage, dir string, files []spec.File) bool {
	if base.Output() == nil {
		return false
	}
	elsewhere := func(p string) bool { return !Within(outputDir, p) }
	return clean(dir) != outputDir || slices.ContainsFunc(Destinations(dir, files), elsewhere) ||
		config == nil || mentions(config, outputDir)
}

// mentions tells whether the configuration of an image names a path, or one below it. Its history has the commands that
// made it.
func mentions(img *dockerspec.DockerOCIImage, p string) bool {
	c := img.Config
	texts := slices.Concat([]string{c.WorkingDir}, c.Env, c.Entrypoint, c.Cmd, c.Shell, c.OnBuild)
	for v := range c.Volumes {
		texts = append(texts, v)
	}
	if c.Healthcheck != nil {
		texts = append(texts, c.Healthcheck.Test...)
	}
	for _, h := range img.History {
		texts = append(texts, h.CreatedBy)
	}
	named := regexp.MustCompile(`(^|[^\w./-])/*` + regexp.QuoteMeta(p) + `($|[^\w.-])`)
	return slices.ContainsFunc(texts, named.MatchString)
}

// Within tells whether p is folder, or a path below it.
func Within(folder, p string) bool {
	return folder == "/" || p == folder || strings.HasPrefix(p, folder+"/")
}

// Look finds out what the base has at paths. base is nil if there is no need to look ([MustLook]). Then nothing is in
// the way.
func Look(ctx context.Context, paths []string, base Stat) (Ground, error) {
	ground := Ground{}
	base = once(base)
	for _, p := range paths {
		spot, err := follow(ctx, p, base)
		if err != nil {
			return nil, err
		}
		ground[p] = spot
	}
	return ground, nil
}

// WithApp is g with the layers of an app in dir. app tells what these layers have there; it is nil before publish.
func (g Ground) WithApp(ctx context.Context, dir string, app Stat) (Ground, error) {
	ground := Ground{}
	app = once(app)
	for _, p := range slices.Sorted(maps.Keys(g)) {
		spot := g[p]
		folder, err := appFolder(ctx, p, clean(dir), app)
		if err != nil {
			return nil, err
		}
		if len(folder) > len(spot.App) { // another app may have made one
			spot.App = folder
		}
		ground[p] = spot
	}
	return ground, nil
}

// once makes a Stat that remembers the answers of stat. It does not ask about a path whose parent is no folder.
func once(stat Stat) Stat {
	if stat == nil {
		return nil
	}
	known := map[string]*fstypes.Stat{}
	return func(ctx context.Context, p string) (*fstypes.Stat, error) {
		st, ok := known[p]
		if ok {
			return st, nil
		}
		if parent, ok := known[path.Dir(p)]; !ok || isFolder(parent) {
			var err error
			if st, err = stat(ctx, p); err != nil {
				return nil, err
			}
		}
		known[p] = st
		return st, nil
	}
}

// maxLinks is how many links COPY follows (containerd/continuity, fs.RootPath).
const maxLinks = 255

// follow walks a path on the base as COPY does. COPY fails in a loop of links, or if a part of the path is no folder.
// In these cases the spot is taken and keeps the path as written, so that our copy fails like COPY.
func follow(ctx context.Context, p string, base Stat) (Spot, error) {
	if base == nil {
		return Spot{Path: p}, nil
	}
	stuck := Spot{Path: p, Taken: true}
	spot := Spot{Path: "/", Taken: p == "/"}
	links := 0
	for rest := names(p); len(rest) > 0; {
		next := path.Join(spot.Path, rest[0])
		rest = rest[1:]
		if next == "/" { // after ..
			spot.Path = next
			continue
		}
		st, err := base(ctx, next)
		if err != nil {
			return Spot{}, err
		}
		spot.Taken = spot.Taken || st != nil
		switch {
		case st != nil && mode(st)&os.ModeSymlink != 0:
			if links++; links > maxLinks {
				return stuck, nil
			}
			to := st.Linkname
			if !path.IsAbs(to) {
				to = path.Join(spot.Path, to)
			}
			rest = append(names(to), rest...)
			spot.Path = "/"
		case st != nil && !isFolder(st) && len(rest) > 0:
			return stuck, nil
		default:
			spot.Path = next
		}
	}
	return onBase(ctx, spot, base)
}

// onBase completes a spot: what the base has at its path, and the deepest folder on the way.
func onBase(ctx context.Context, spot Spot, base Stat) (Spot, error) {
	for p := spot.Path; p != "/" && spot.Folder == ""; p = path.Dir(p) {
		st, err := base(ctx, p)
		if err != nil {
			return Spot{}, err
		}
		if p == spot.Path {
			spot.Stat = st
		}
		if isFolder(st) {
			spot.Folder = p
		}
	}
	return spot, nil
}

// appFolder is [Spot.App] for a path, with an app in dir.
func appFolder(ctx context.Context, p, dir string, app Stat) (deepest string, err error) {
	at := "/"
	for _, name := range names(p) {
		at = path.Join(at, name)
		if !Within(at, dir) { // at is neither dir nor above dir
			if app == nil || !Within(dir, at) {
				break
			}
			st, err := app(ctx, at)
			if err != nil {
				return "", err
			}
			if !isFolder(st) {
				break
			}
		}
		deepest = at
	}
	return deepest, nil
}

// names are the names in a path.
func names(p string) []string {
	return slices.DeleteFunc(strings.Split(p, "/"), func(name string) bool { return name == "" || name == "." })
}

func mode(st *fstypes.Stat) os.FileMode { return os.FileMode(st.Mode) }

func isFolder(st *fstypes.Stat) bool { return st != nil && mode(st).IsDir() }

// unixMode is a mode as chmod takes it.
func unixMode(m os.FileMode) os.FileMode {
	unix := m.Perm()
	if m&os.ModeSetuid != 0 {
		unix |= 0o4000
	}
	if m&os.ModeSetgid != 0 {
		unix |= 0o2000
	}
	if m&os.ModeSticky != 0 {
		unix |= 0o1000
	}
	return unix
}
