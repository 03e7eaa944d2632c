package result

import (
	"context"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
)

// site puts the image of a platform together, from the published app and the files of the spec.
type site struct {
	plan *plan.Plan
	plan.Target
	builder *xllb.Builder
	layers  []layer
	entries []xllb.Entry
	removed []string // files of the base
}

// image gives the image. ground is what the base has.
func (s *site) image(ctx context.Context, ground xllb.Ground) (image, error) {
	req := s.plan.Request
	looked := xllb.MustLook(s.Base.State, s.Base.Config, s.plan.Dir, places(s.plan, s.Spec.Files))
	for i := range s.entries {
		if k := s.entries[i].Kind(); k == spec.Removes || k == spec.Changes {
			if err := s.find(ctx, i, looked, ground); err != nil {
				return image{}, err
			}
		}
	}
	if looked {
		if err := s.linksFit(ctx, ground); err != nil {
			return image{}, err
		}
	}
	put := placed(s.builder, s.layers, ground)
	extra, err := s.builder.Files(s.entries, s.Config.User(), ground)
	if err != nil {
		return image{}, req.At("files", err)
	}
	if extra != nil { // before the app, which changes more often
		last := max(len(put)-1, 0)
		put = slices.Insert(put, last, *extra)
		is := func(l plan.Layer) bool { return l.Maker == plan.ByFiles }
		shared := s.Layers[slices.IndexFunc(s.Layers, is)].Shared
		s.layers = slices.Insert(s.layers, last, layer{Layer: report.Layer{Name: plan.LayerFiles, Shared: shared}})
	}
	if s.Users.Adds() {
		put = slices.Insert(put, 0, s.builder.Users(s.Users))
		told := report.Layer{Name: plan.LayerUsers, Shared: s.plan.SameUsers()}
		s.layers = slices.Insert(s.layers, 0, layer{Layer: told})
	}
	if s.Packages != nil {
		osPackages, err := packagesLayer(ctx, req.Gateway, s.Target)
		if err != nil {
			return image{}, req.DiagnosePackages(ctx, err)
		}
		s.layers = slices.Insert(s.layers, 0, osPackages)
	}
	st := s.builder.Image(s.Base.State, s.Platform, put...)
	if slices.ContainsFunc(s.entries, func(e xllb.Entry) bool { return len(e.Checksum) > 0 }) {
		if _, err := req.Gateway.Evaluate(ctx, st); err != nil {
			return image{}, mismatch(req, s.Spec.Files, err)
		}
	}
	own := s.builder.Image(llb.Scratch(), s.Platform, put...)
	for i, e := range s.entries {
		if e.Kind() != spec.Links {
			continue
		}
		if err := s.leads(ctx, e.File, st, own, looked); err != nil {
			return image{}, req.At(fmt.Sprintf("files.%d", i), err)
		}
	}
	return image{Target: s.Target, state: st, layers: s.layers, removed: s.removed}, nil
}

// find finds what entry i removes or changes: in the layers of the app, in the base, and among the files of the entries
// before it. It is an error if a path matches nothing.
func (s *site) find(ctx context.Context, i int, looked bool, ground xllb.Ground) error {
	e := &s.entries[i]
	key, patterns := "remove", e.Remove
	if e.Kind() == spec.Changes {
		key, patterns = "change", e.Change
	}
	for _, pattern := range patterns {
		n, err := s.findInApp(ctx, e.File, pattern)
		if err == nil {
			n, err = s.findBelow(ctx, i, pattern, looked, ground, n)
		}
		if err == nil && n == 0 {
			err = fmt.Errorf("%s: the image for %s has nothing at %s", key, platform(s.Target), pattern)
		}
		if err != nil {
			return s.plan.Request.At(fmt.Sprintf("files.%d.%s", i, key), err)
		}
	}
	return nil
}

// findInApp adds what a pattern matches in the layers of the app to their edits, and tells how much that is.
func (s *site) findInApp(ctx context.Context, f spec.File, pattern string) (n int, err error) {
	for j := range s.layers {
		l := &s.layers[j]
		if l.from == nil { // nobody has read it yet
			if l.from, err = s.plan.Request.Gateway.Solve(ctx, l.made); err != nil {
				return 0, err
			}
		}
		found, err := gateway.Glob(ctx, pattern, l.names())
		if err != nil {
			return 0, err
		}
		found = slices.DeleteFunc(found, l.edit.Removes)
		n += len(found)
		if f.Kind() == spec.Changes {
			changes, err := xllb.NewChanges(f, s.Config.User(), found)
			if err != nil {
				return 0, err
			}
			l.edit.Change = append(l.edit.Change, changes...)
			continue
		}
		for _, p := range found {
			if p == l.dir || strings.HasPrefix(l.dir, strings.TrimSuffix(p, "/")+"/") {
				return 0, fmt.Errorf("remove: the app is in %s: name the files to remove", p)
			}
			if s.starts(p) {
				return 0, fmt.Errorf("remove: the image starts %s, and could not without it: name other files", p)
			}
			l.edit.Remove = append(l.edit.Remove, p)
		}
	}
	return n, nil
}

// starts tells whether the image starts a file of the app, itself or by its launcher, and no entry puts another one in
// its place.
func (s *site) starts(file string) bool {
	config := s.Config.Image.Config
	started := func(word string) bool {
		if !path.IsAbs(word) {
			word = path.Join(config.WorkingDir, word)
		}
		return word == file || word+".dll" == file
	}
	return slices.ContainsFunc(slices.Concat(config.Entrypoint, config.Cmd), started) &&
		!slices.ContainsFunc(s.entries, func(e xllb.Entry) bool { return e.To == file })
}

// names gives the names that a layer has in folders of the image.
func (l layer) names() gateway.Names {
	dir := l.dir
	return func(ctx context.Context, p string) ([]string, error) {
		if p != dir && strings.HasPrefix(dir, strings.TrimSuffix(p, "/")+"/") { // above the app
			name, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(dir, p), "/"), "/")
			return []string{name}, nil
		}
		if p != dir && !strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/") {
			return nil, nil
		}
		var all []string
		for _, folder := range l.folders {
			names, err := gateway.NamesIn(l.from)(ctx, path.Join("/", folder, strings.TrimPrefix(p, dir)))
			if err != nil {
				return nil, err
			}
			all = append(all, names...)
		}
		slices.Sort(all)
		return slices.Compact(all), nil
	}
}

// findBelow adds what a pattern of entry i matches in the base, and among the files of the entries before it, to what
// the entry has found. inApp is how much was found in the app, and n is how much was found in all. It looks at the base
// if we have to look there anyway, or if the pattern matches nothing else.
func (s *site) findBelow(
	ctx context.Context, i int, pattern string, looked bool, ground xllb.Ground, inApp int,
) (n int, err error) {
	e := &s.entries[i]
	found, err := s.match(ctx, i, pattern, looked, ground)
	if err != nil {
		return 0, err
	}
	if inApp+len(found) == 0 && !looked {
		looked = true
		if found, err = s.match(ctx, i, pattern, looked, ground); err != nil {
			return 0, err
		}
	}
	if len(found) > 0 {
		e.Found = append(e.Found, found...)
		if e.Below, err = s.below(i, true, ground); err != nil {
			return 0, err
		}
	}
	if looked && e.Kind() == spec.Removes {
		inBase, err := s.glob(ctx, s.Base.State, pattern)
		if err != nil {
			return 0, err
		}
		s.removed = append(s.removed, inBase...)
	}
	return inApp + len(found), nil
}

// match gives what a pattern matches below entry i.
func (s *site) match(ctx context.Context, i int, pattern string, base bool, ground xllb.Ground) ([]string, error) {
	st, err := s.below(i, base, ground)
	if err != nil {
		return nil, err
	}
	return s.glob(ctx, st, pattern)
}

func (s *site) glob(ctx context.Context, st llb.State, pattern string) ([]string, error) {
	if st.Output() == nil { // nothing is there
		return nil, nil
	}
	ref, err := s.plan.Request.Gateway.Evaluate(ctx, st)
	if err != nil {
		return nil, err
	}
	return gateway.Glob(ctx, pattern, gateway.NamesIn(ref))
}

// below is the base, if wanted, with the users of the spec and the files of the entries before entry i.
func (s *site) below(i int, base bool, ground xllb.Ground) (llb.State, error) {
	st := llb.Scratch()
	if base {
		st = s.Base.State
	}
	var layers []xllb.Layer
	if s.Users.Adds() {
		layers = append(layers, s.builder.Users(s.Users))
	}
	files, err := s.builder.Files(s.entries[:i], s.Config.User(), ground)
	if files != nil {
		layers = append(layers, *files)
	}
	if err != nil || len(layers) == 0 {
		return st, err
	}
	return s.builder.Image(st, s.Platform, layers...), nil
}

// linksFit gives an error if the base has a folder where a link has to be. BuildKit would fail, and name a folder of
// the builder.
func (s *site) linksFit(ctx context.Context, ground xllb.Ground) error {
	for i, e := range s.entries {
		if e.Kind() != spec.Links || s.Base.State.Output() == nil {
			continue
		}
		ref, err := s.plan.Request.Gateway.Solve(ctx, s.Base.State)
		if err != nil {
			return err
		}
		link := path.Join(ground[path.Dir(path.Clean(e.Link))].Path, path.Base(path.Clean(e.Link)))
		st, err := gateway.Lstat(ref)(ctx, link)
		if err != nil {
			return err
		}
		gone := func(before xllb.Entry) bool { return slices.Contains(before.Found, link) }
		if st != nil && os.FileMode(st.Mode).IsDir() && !slices.ContainsFunc(s.entries[:i], gone) {
			return s.plan.Request.At(fmt.Sprintf("files.%d.link", i), fmt.Errorf("%s is a folder of the base, which a link "+
				"does not replace: remove it in an entry before", e.Link))
		}
	}
	return nil
}

// leads gives an error if a link leads nowhere. st is the image, and own is what it adds to the base. We look at the
// base only if we have to look there anyway, or if the link leads to nothing else.
func (s *site) leads(ctx context.Context, f spec.File, st, own llb.State, looked bool) error {
	if path.Clean(f.To) == "/" {
		return nil
	}
	states := []llb.State{st}
	if !looked {
		states = []llb.State{own, st}
	}
	for _, st := range states {
		ref, err := s.plan.Request.Gateway.Evaluate(ctx, st)
		if err != nil {
			return err
		}
		if ref == nil {
			continue
		}
		link := path.Clean(f.Link)
		ground, err := xllb.Look(ctx, []string{link}, gateway.Lstat(ref))
		if err != nil {
			return err
		}
		if ground[link].Stat != nil {
			return nil
		}
	}
	return fmt.Errorf("the link %s leads nowhere: the image for %s has nothing at %s", f.Link, platform(s.Target), f.To)
}

func platform(t plan.Target) string { return platforms.Format(platforms.Normalize(t.Platform)) }
