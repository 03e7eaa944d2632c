package llb

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/spec"
)

// Layer is a layer of an image. [AppLayer], [Builder.Files] and [Builder.Users] make it, [Builder.Image] puts it onto a
// base.
type Layer struct {
	// State has only the files of the layer, in their places. It is empty if copy makes the files itself.
	State llb.State
	// copy puts the layer onto the layers below it, as COPY does. It is nil if nothing of the base is in the way.
	copy *llb.FileAction
	// phase and name are those of the copy step.
	phase, name string
}

// AppLayer makes a layer of st, which [Builder.Layer] made in dir. If something of the base is in the way, the copy
// follows the links of the base, and its folders stay as they are.
func AppLayer(st llb.State, dir string, ground Ground) Layer {
	dir = clean(dir)
	layer := Layer{State: st, phase: PhaseImage, name: "app"}
	spot := ground.at(dir)
	if !spot.Taken {
		return layer
	}
	info := &llb.CopyInfo{CopyDirContentsOnly: true, CreateDestPath: true, CreatedTime: &fileTime}
	layer.copy = llb.Copy(st, dir, dir, info)
	if spot.Folder != "" {
		layer.copy = touch(layer.copy, spot.Folder)
	}
	return layer
}

// Image puts layers on a base image for platform. A merge neither pulls nor unpacks the base. If BuildKit cannot merge,
// Image copies the layers onto the base. If something of the base is in the way of a layer, Image copies that layer in
// any case, as COPY does: onto the base and the layers before it.
func (b *Builder) Image(base llb.State, platform ocispecs.Platform, layers ...Layer) llb.State {
	prefix := imagePrefix(platform)
	canMerge := b.Caps.Supports(pb.CapMergeOp) == nil
	stack := []llb.State{base}
	merged := func() llb.State {
		return llb.Merge(stack, append(b.Constraints(PhaseImage), llb.WithCustomName(prefix+"merge base and app"))...)
	}
	for _, layer := range layers {
		if layer.copy == nil && canMerge {
			stack = append(stack, layer.State)
			continue
		}
		name := llb.WithCustomName(prefix + "copy " + layer.name + " onto base")
		st := merged().File(b.onto(layer), append(b.Constraints(layer.phase), name)...)
		stack = []llb.State{st}
	}
	return merged()
}

// onto is the copy of a layer onto the base. If nothing is known to be in the way, it works like a merge: it replaces
// what is there all the same, because nobody has looked ([MustLook]).
func (b *Builder) onto(layer Layer) *llb.FileAction {
	if layer.copy != nil {
		return layer.copy
	}
	info := &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &fileTime}
	info.AlwaysReplaceExistingDestPaths = b.Caps.Supports(pb.CapFileCopyAlwaysReplaceExistingDestPaths) == nil
	return llb.Copy(layer.State, "/", "/", info)
}

// touch gives an existing folder the fixed time of all files. It copies nothing into the folder, which changes only the
// time (fsutil, copy.Copy).
func touch(action *llb.FileAction, folder string) *llb.FileAction {
	return action.Copy(llb.Scratch(), "/", folder, &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &fileTime})
}

// folder adds an empty folder at a spot. A folder that is there gets the owner of info, and the mode if info has one.
// It is a copy, because Mkdir would not change an existing folder, and knows no bits above 0777.
func folder(action *llb.FileAction, spot Spot, info *llb.CopyInfo) *llb.FileAction {
	if spot.Path == "/" {
		return action.Mkdir("/", 0o755, llb.WithParents(true)) // does nothing
	}
	if info.Mode == nil {
		info.Mode = &llb.ChmodOpt{Mode: 0o755}
		if isFolder(spot.Stat) {
			info.Mode.Mode = unixMode(mode(spot.Stat))
		}
	}
	// New folders on the way would get the mode and the owner, too: the copy makes them as it makes this one.
	if parent := path.Dir(spot.Path); !Within(parent, spot.Folder) && !Within(parent, spot.App) {
		action = action.Mkdir(parent, 0o755, llb.WithParents(true), llb.WithCreatedTime(fileTime))
	}
	made := llb.Mkdir("/"+path.Base(spot.Path), 0o755, llb.WithCreatedTime(fileTime))
	return action.Copy(made.WithState(llb.Scratch()), "/", path.Dir(spot.Path), info)
}

// changed are the folders that may lose the fixed time of all files: new folders on the way of an entry, because other
// entries may write into them too, the deepest folder of the base, and folders that lose a file.
func changed(entries []Entry, ground Ground) []string {
	var all []string
	for _, e := range entries {
		if e.Kind() == spec.Removes {
			all = append(all, left(e.Found)...)
		}
		if !e.makes() {
			continue
		}
		to := e.Place()[0]
		spot := ground.at(to)
		last := path.Dir(spot.Path)
		if e.Kind() == spec.MakesFolder || strings.HasSuffix(to, "/") || Within(clean(to), spot.App) {
			last = spot.Path
		}
		top := cmp.Or(spot.Folder, "/")
		for p := last; p != top && Within(top, p); p = path.Dir(p) {
			all = append(all, p)
		}
		if spot.Folder != "" {
			all = append(all, spot.Folder)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// left are the folders that lose one of paths, and are not in one of them.
func left(paths []string) []string {
	var all []string
	for _, p := range paths {
		dir := path.Dir(p)
		if dir != "/" && !slices.ContainsFunc(paths, func(other string) bool { return Within(other, dir) }) {
			all = append(all, dir)
		}
	}
	return all
}
