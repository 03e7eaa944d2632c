package tree

import (
	"context"
	"fmt"
	"path"
	"slices"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/patternmatcher"

	"github.com/crosshull/crosshull/frontend/request"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// overlay is a context that commands have changed. They got a part of the context before them, and left takes the place
// of that part. The rest is as before, and only what is read of it is transferred.
type overlay struct {
	left snapshot
	// all are the names in left, and made has their paths. rest is the tree of the rest.
	all  []Name
	made map[string]bool
	rest *Tree
}

// Changed gives the tree after commands. given is the part of t that they got, and left is what they made of it.
func (t *Tree) Changed(ctx context.Context, req *request.Request, left llb.State, given xllb.Reads) (*Tree, error) {
	ref, err := req.Gateway.Evaluate(ctx, left)
	if err != nil {
		return nil, req.Diagnose(ctx, err, nil) // commands may have changed the files that t has
	}
	o := overlay{left: snapshot{ref, true}, made: map[string]bool{}}
	if o.all, err = o.left.names(ctx); err != nil {
		return nil, fmt.Errorf("read what commands left: %w", err)
	}
	for _, n := range o.all {
		o.made[n.Path] = true
	}
	rest, remade, err := t.without(given, o.made)
	if err != nil {
		return nil, err
	}
	o.rest = rest
	reads := o.rest.restReads(given, slices.Concat(t.Exclude, remade))
	whole := xllb.AddRest(left, t.Context, reads)
	changed, err := newTree(ctx, req, whole, o)
	if err != nil {
		return nil, err
	}
	if l, ok := t.origin.(*local); ok && !l.whole && len(given.Include) > 0 {
		changed.told.Part = func(what string, wanted ...xllb.Reads) llb.State {
			return xllb.AddRest(left, l.state(o.rest.part(what, wanted)), reads)
		}
		changed = changed.with(changed.Files)
	}
	return changed, nil
}

// without is the tree without what commands got (given), what they made, and what builds on the host left. remade are
// patterns of what they made, did not get, and the tree has, too.
func (t *Tree) without(given xllb.Reads, made map[string]bool) (rest *Tree, remade []string, err error) {
	matches := func(patterns []string) (func(string) bool, error) {
		m, err := patternmatcher.New(patterns)
		if err != nil {
			return nil, err
		}
		return func(name string) bool {
			ok, err := m.MatchesOrParentMatches(name)
			return ok && err == nil
		}, nil
	}
	included, err := matches(given.Include)
	if err != nil {
		return nil, nil, err
	}
	excluded, err := matches(given.Exclude)
	if err != nil {
		return nil, nil, err
	}
	output, err := matches(dotnet.HostOutputs(t.told.Names))
	if err != nil {
		return nil, nil, err
	}
	without := *t
	without.projects, without.Names = choice{}, nil
	folders := map[string]bool{}
	for _, n := range slices.Backward(t.Names) { // what is in a folder comes before it
		had := (len(given.Include) == 0 || included(n.Path)) && !excluded(n.Path)
		if !n.Mode.IsDir() && !had && made[n.Path] {
			remade = append(remade, dotnet.Escape(n.Path))
		}
		if n.Mode.IsDir() && !folders[n.Path] || !n.Mode.IsDir() && had || made[n.Path] || output(n.Path) {
			continue
		}
		folders[path.Dir(n.Path)] = true
		without.Names = append(without.Names, n)
	}
	slices.Reverse(without.Names)
	slices.Sort(remade)
	return &without, remade, nil
}

// restReads are the patterns that match the files of the tree, which are those that commands did not get.
func (t *Tree) restReads(given xllb.Reads, exclude []string) xllb.Reads {
	if len(given.Include) == 0 { // they got nearly all
		reads := xllb.Reads{Exclude: exclude}
		for _, n := range t.Names {
			if !n.Mode.IsDir() {
				reads.Include = append(reads.Include, dotnet.Escape(n.Path))
			}
		}
		return reads
	}
	return xllb.Reads{Exclude: slices.Concat(given.Include, dotnet.HostOutputs(t.told.Names), exclude)}
}

// names are those of left and of the rest.
func (o overlay) names(context.Context) ([]Name, error) {
	all := slices.Concat(o.all, o.rest.Names)
	sortNames(all)
	return all, nil
}

func (o overlay) read(ctx context.Context, what string, c choice, names []Name) (map[string][]byte, error) {
	var rest []Name
	own := slices.DeleteFunc(slices.Clone(names), func(n Name) bool {
		if !o.made[n.Path] {
			rest = append(rest, n)
		}
		return !o.made[n.Path]
	})
	files, err := o.left.read(ctx, what, c, own)
	if err != nil {
		return nil, err
	}
	more, _, err := o.rest.read(ctx, what, rest)
	for name, dt := range more {
		files[name] = dt
	}
	return files, err
}

// check checks the rest: what commands got was checked before they ran.
func (o overlay) check(ctx context.Context, what string, _ choice, files []Name) error {
	var reads xllb.Reads
	var rest []Name
	for _, n := range files {
		if !o.made[n.Path] {
			rest = append(rest, n)
			reads.Include = append(reads.Include, dotnet.Escape(n.Path))
		}
	}
	if len(rest) == 0 {
		return nil
	}
	what, c := o.rest.part(what, []xllb.Reads{reads})
	return o.rest.origin.check(ctx, what, c, rest)
}
