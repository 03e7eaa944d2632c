package repro

import (
	"context"
	"path/filepath"
)

// source is where a build finds its sources, and which builder does it.
type source struct {
	context string // a folder, or the URL of a git repository
	file    string // the spec, if it is not the crosshull.yaml of that folder
	builder string
}

// variant is a way to build that must not tell.
type variant struct {
	name, tag string
	// prepare makes a source out of the folder src, with room in tmp; stop ends what it needs.
	prepare func(ctx context.Context, r *runner, src, tmp string) (_ source, stop func(), err error)
}

var variants = []variant{
	{"the same again", "again", func(_ context.Context, _ *runner, src, _ string) (source, func(), error) {
		return source{context: src, builder: nodeOne}, func() {}, nil
	}},
	{
		"another daemon; another path, times, modes, owners",
		"elsewhere",
		func(_ context.Context, r *runner, src, tmp string) (source, func(), error) {
			dir := filepath.Join(tmp, "another checkout", "of it")
			return source{context: dir, builder: nodeTwo}, func() {}, r.copy(src, dir)
		},
	},
	{"a git context", "git", func(ctx context.Context, r *runner, src, tmp string) (source, func(), error) {
		url, stop, err := r.repository(ctx, src, tmp)
		return source{context: url, file: "crosshull.yaml", builder: nodeOne}, stop, err
	}},
	{"two nodes, a platform each", "nodes", func(_ context.Context, _ *runner, src, _ string) (source, func(), error) {
		return source{context: src, builder: bothNodes}, func() {}, nil
	}},
}
