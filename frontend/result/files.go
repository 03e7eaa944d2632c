package result

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/patternmatcher"
	digest "github.com/opencontainers/go-digest"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/frontend/tree"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// findFiles checks that the files of the spec are in the context, before anything is built.
func findFiles(ctx context.Context, p *plan.Plan) error {
	for _, t := range p.Targets {
		if err := findKeys(ctx, p, t); err != nil {
			return err
		}
		names, err := contextFiles(ctx, p.Request, p.Tree, t.Spec.Files)
		if err != nil {
			return err
		}
		if all := flat(names); len(all) > 0 {
			if err := p.Tree.Check(ctx, xllb.FilePart, xllb.FileReads(all)); err != nil {
				return p.Request.At("files", err)
			}
		}
	}
	return nil
}

func flat(lists [][]string) []string {
	var all []string
	for _, list := range lists {
		all = append(all, list...)
	}
	return all
}

// contextFiles are the files and folders of the build context that each of files copies, without wildcards.
func contextFiles(ctx context.Context, req *request.Request, t *tree.Tree, files []spec.File) ([][]string, error) {
	all := make([][]string, len(files))
	for i, f := range files {
		if f.Kind() != spec.Copies || f.Context != "" || f.Image != "" || spec.IsURL(f.From[0]) {
			continue
		}
		for _, from := range f.From {
			names := []string{from}
			err := error(nil)
			if spec.HasWildcards(from) {
				names, err = matching(f, from, func() ([]string, error) { return t.Glob(ctx, from) })
			}
			for _, name := range names {
				if err == nil {
					err = t.Find(name)
				}
			}
			if err != nil {
				return nil, req.At(fmt.Sprintf("files.%d.from", i), err)
			}
			all[i] = append(all[i], names...)
		}
	}
	return all, nil
}

// matching are the paths that glob finds for a value of from, without those that the entry excludes.
func matching(f spec.File, from string, glob func() ([]string, error)) ([]string, error) {
	found, err := glob()
	if err != nil {
		return nil, err
	}
	if len(f.Exclude) > 0 {
		m, err := patternmatcher.New(f.Exclude)
		if err != nil {
			return nil, fmt.Errorf("exclude: %w", err)
		}
		var kept []string
		for _, name := range found {
			// A file of several is not in the folder that is copied, so its name alone counts.
			if out, err := m.MatchesOrParentMatches(path.Base(name)); err != nil || !out {
				kept = append(kept, name)
			}
		}
		found = kept
	}
	if len(found) > 1 && !strings.HasSuffix(f.To, "/") {
		return nil, fmt.Errorf("%s matches %d files: write a / at the end of to, so that they go into a folder",
			from, len(found))
	}
	return found, nil
}

// allEntries are the files of the spec for each image, and where their content is.
func allEntries(ctx context.Context, p *plan.Plan, b *xllb.Builder) ([][]xllb.Entry, error) {
	if err := haveChecksums(ctx, p, b); err != nil {
		return nil, err
	}
	all := make([][]xllb.Entry, len(p.Targets))
	eg, ctx := gateway.Group(ctx)
	for i, t := range p.Targets {
		eg.Go(func() (err error) {
			s := sources{p, t, b}
			all[i], err = s.entries(ctx)
			return err
		})
	}
	return all, eg.Wait()
}

// haveChecksums gives an error if a file from an address has no checksum. The error has the lines to write.
func haveChecksums(ctx context.Context, p *plan.Plan, b *xllb.Builder) error {
	for i := range p.Request.Spec.Files {
		var lines, lacking []string
		same := true
		for _, t := range p.Targets {
			f := t.Spec.Files[i]
			if len(f.From) != 1 || !spec.IsURL(f.From[0]) || spec.IsGit(f.From[0]) {
				continue
			}
			sum := f.Checksum.For(t.Platform)
			if sum == "" {
				lacking = append(lacking, platform(t))
				learned, err := p.Request.Gateway.Checksum(ctx, b.HTTP(i, f.From[0], xllb.ArchiveName, ""), xllb.ArchiveName)
				if err != nil {
					return p.Request.At(fmt.Sprintf("files.%d.from", i),
						fmt.Errorf("%s needs a checksum, and crosshull cannot read the file to compute it: %w",
							spec.ShownURL(f.From[0]), err))
				}
				sum = string(learned)
			}
			lines = append(lines, platforms.Format(platforms.Normalize(t.Platform))+": "+sum)
			_, first, _ := strings.Cut(lines[0], ": ")
			same = same && sum == first
		}
		if len(lacking) == 0 {
			continue
		}
		line := "{" + strings.Join(lines, ", ") + "}"
		if same {
			_, line, _ = strings.Cut(lines[0], ": ")
		}
		what := ""
		if len(lacking) < len(lines) { // others have one
			what = " for " + strings.Join(lacking, ", ")
		}
		return p.Request.At(fmt.Sprintf("files.%d.from", i), fmt.Errorf("%s needs a checksum%s, so that every build gets "+
			"the same file: if you trust what is there now, write checksum: %s",
			spec.ShownURL(p.Targets[0].Spec.Files[i].From[0]), what, line))
	}
	return nil
}

// otherSum matches BuildKit's error about a file with another checksum (source/http).
var otherSum = regexp.MustCompile(
	`digest mismatch (?:for \S+: )?(sha256:[0-9a-f]{64})(?:: | \(expected: )(sha256:[0-9a-f]{64})`)

// mismatch says which of files has another checksum than the spec says, if err is about that.
func mismatch(req *request.Request, files []spec.File, err error) error {
	sums := otherSum.FindStringSubmatch(err.Error())
	if sums == nil {
		return err
	}
	for i, f := range files {
		for _, sum := range f.Checksum {
			if sum == sums[2] {
				return req.Locate(fmt.Sprintf("files.%d.checksum", i), gateway.Reword(err, fmt.Sprintf("%s: %s has the checksum "+
					"%s, and the spec says %s: the file has changed, or the server sent something in its place, such as an error "+
					"page: look at it before you change the checksum",
					req.Line(fmt.Sprintf("files.%d.checksum", i)), spec.ShownURL(f.From[0]), sums[1], sum)))
			}
		}
	}
	return err
}

// sources finds the content of files for an image.
type sources struct {
	*plan.Plan
	plan.Target
	builder *xllb.Builder
}

func (s sources) entries(ctx context.Context) ([]xllb.Entry, error) {
	files := s.Spec.Files
	names, err := contextFiles(ctx, s.Request, s.Tree, files)
	if err != nil {
		return nil, err
	}
	contexts, err := namedContexts(ctx, s.Request, s.Target)
	if err != nil {
		return nil, err
	}
	from := s.builder.FilesOf(flat(names))
	all := make([]xllb.Entry, len(files))
	for i, f := range files {
		all[i] = xllb.Entry{File: f}
		if f.Kind() != spec.Copies {
			continue
		}
		var found []xllb.Source
		key := "from"
		switch {
		case f.Image != "":
			key = "image"
			found, err = s.ofImage(ctx, f)
		case f.Context != "":
			found, err = s.of(ctx, contexts[f.Context], f)
		case spec.IsURL(f.From[0]):
			found, err = s.ofURL(i, f)
		default:
			found = xllb.ContextSources(from, names[i])
		}
		if err == nil && f.Unpack {
			err = s.unpack(ctx, f, found)
		}
		if err != nil {
			return nil, s.Request.At(fmt.Sprintf("files.%d.%s", i, key), err)
		}
		all[i].Sources = found
		if all[i].KeepsModes, err = s.keepsModes(ctx, f, contexts[f.Context]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// keepsModes tells whether files keep their modes, if their entry has none. Who made an image, an archive or a
// repository chose the modes in it, and a file that few may read must not become readable for all.
func (s sources) keepsModes(ctx context.Context, f spec.File, named llb.State) (bool, error) {
	switch {
	case f.Unpack || f.Image != "":
		return true, nil
	case f.Context != "":
		return s.Request.Gateway.HasModes(ctx, named)
	}
	return len(f.From) == 1 && spec.IsGit(f.From[0]), nil
}

// of are files of an image or of a named context.
func (s sources) of(ctx context.Context, st llb.State, f spec.File) ([]xllb.Source, error) {
	if len(f.From) == 0 {
		return []xllb.Source{{State: st, Path: "/"}}, nil
	}
	var all []xllb.Source
	for _, from := range f.From {
		names := []string{from}
		if spec.HasWildcards(from) {
			ref, err := s.Request.Gateway.Evaluate(ctx, st)
			if err != nil {
				return nil, err
			}
			names, err = matching(f, from, func() ([]string, error) {
				found, err := gateway.Glob(ctx, from, gateway.NamesIn(ref))
				if err == nil && len(found) == 0 {
					err = fmt.Errorf("nothing there matches %s", from)
				}
				return found, err
			})
			if err != nil {
				return nil, err
			}
		}
		for _, name := range names {
			all = append(all, xllb.Source{State: st, Path: path.Join("/", name)})
		}
	}
	return all, nil
}

// ofImage are files of an image for the platform of the target.
func (s sources) ofImage(ctx context.Context, f spec.File) ([]xllb.Source, error) {
	if dotnet.IsScratch(f.Image) {
		return nil, fmt.Errorf("image %s has no files", f.Image)
	}
	img, err := s.Request.Gateway.Base(ctx, f.Image, s.Platform)
	if err != nil {
		return nil, err
	}
	return s.of(ctx, img.State, f)
}

// ofURL is the file, or the git repository, at the address of an entry.
func (s sources) ofURL(entry int, f spec.File) ([]xllb.Source, error) {
	from, sum := f.From[0], f.Checksum.For(s.Platform)
	if spec.IsGit(from) {
		if sum == "" && len(f.Checksum) > 0 {
			return nil, fmt.Errorf("checksum has no commit of %s for %s: add one, or write one for all platforms",
				spec.ShownURL(from), platform(s.Target))
		}
		st, err := s.builder.Git(entry, from, sum)
		return []xllb.Source{{State: st, Path: "/"}}, err
	}
	name := xllb.ArchiveName
	if !f.Unpack {
		if name = fileName(from); name == "" {
			if strings.HasSuffix(f.To, "/") {
				return nil, fmt.Errorf("%s has no name of a file: write the name at the end of to", spec.ShownURL(from))
			}
			name = path.Base(f.To)
		}
	}
	return []xllb.Source{{State: s.builder.HTTP(entry, from, name, digest.Digest(sum)), Path: "/" + name}}, nil
}

// fileName is the name of the file at an address; empty if the address has none.
func fileName(from string) string {
	u, err := url.Parse(from)
	if err != nil {
		return ""
	}
	switch name := path.Base(u.Path); name {
	case ".", "..", "/":
		return ""
	default:
		return name
	}
}

// unpack replaces archives by what is in them.
func (s sources) unpack(ctx context.Context, f spec.File, found []xllb.Source) error {
	for i, src := range found {
		name := f.From[min(i, len(f.From)-1)]
		if !spec.IsURL(name) {
			name = src.Path[1:]
		}
		st := s.builder.Unpack(src.State, src.Path[1:])
		ref, err := s.Request.Gateway.Evaluate(ctx, st)
		if err != nil {
			return mismatch(s.Request, s.Spec.Files, fmt.Errorf("unpack %s: %w", spec.ShownURL(name), err))
		}
		names, err := gateway.NamesIn(ref)(ctx, "/")
		if err != nil {
			return err
		}
		if len(names) == 1 && names[0] == xllb.ArchiveName {
			return fmt.Errorf("%s is no tar archive, neither plain nor compressed with gzip, bzip2, xz or zstd, or it is an "+
				"empty one: unpack takes no other kind", spec.ShownURL(name))
		}
		if f.Strip > 0 {
			deep, err := gateway.Glob(ctx, strings.Repeat("/*", f.Strip+1), gateway.NamesIn(ref))
			if err != nil {
				return err
			}
			if len(deep) == 0 {
				return fmt.Errorf("strip: %d leaves nothing of %s: no path in it has more than %[1]d names", f.Strip,
					spec.ShownURL(name))
			}
			st = s.builder.Strip(st, f.Strip)
		}
		found[i] = xllb.Source{State: st, Path: "/"}
	}
	return nil
}

// namedContexts are the contexts that files of the spec come from, for the image of a platform.
func namedContexts(ctx context.Context, req *request.Request, t plan.Target) (map[string]llb.State, error) {
	gw := req.Gateway
	contexts := map[string]llb.State{}
	for i, f := range t.Spec.Files {
		if _, ok := contexts[f.Context]; ok || f.Context == "" {
			continue
		}
		key := fmt.Sprintf("files.%d", i)
		nc, err := gw.NamedContext(f.Context, dockerui.ContextOpt{
			Platform: &t.Platform, ResolveMode: gw.ImageResolveMode.String(),
			AsyncLocalOpts: func() []llb.LocalOption { return xllb.ReadOf(f.Context, t.Spec.Files) },
		})
		if err != nil {
			return nil, req.At(key, err)
		}
		if nc == nil {
			return nil, req.At(
				key,
				fmt.Errorf(
					"there is no context %s: give it with --build-context %s=FOLDER, or an image or a git repository in the place "+
						"of the folder",
					f.Context,
					f.Context,
				),
			)
		}
		st, _, err := nc.Load(ctx)
		if err != nil {
			return nil, req.At(key, fmt.Errorf("context %s: %w", f.Context, err))
		}
		contexts[f.Context] = *st
	}
	return contexts, nil
}
