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

// Layer is a layer of an image. [AppLayer] and [Builder.Files] make it, [Builder.Image] puts it onto a base.
type Layer struct {
	// State has the files of the layer alone, in their places. Nothing is in it where copy does more than copy it.
	State llb.State
	// copy puts the layer onto what is below it as COPY does. It is nil where nothing of the base is in the way.
	copy *llb.FileAction
	// phase and name are those of the copy.
	phase, name string
}

// AppLayer is what [Builder.Layer] made in dir, as a layer. With something of the base in the way, dir is where links
// lead, and the folders of the base stay as they are.
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

// Image puts layers on a base image for platform. Merged, the base is neither pulled nor unpacked; where BuildKit
// cannot merge, the layers are copied onto it. A layer that has something of the base in its way is copied in any case,
// as COPY does it: onto the base and the layers before it.
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

// onto is how a layer is copied. Without anything of the base in its way it is copied as a merge would do it: what is
// in the way all the same, as nobody asked, is replaced.
func (b *Builder) onto(layer Layer) *llb.FileAction {
	if layer.copy != nil {
		return layer.copy
	}
	info := &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &fileTime}
	info.AlwaysReplaceExistingDestPaths = b.Caps.Supports(pb.CapFileCopyAlwaysReplaceExistingDestPaths) == nil
	return llb.Copy(layer.State, "/", "/", info)
}

// touch gives a folder that is there the time that all files have: a copy of nothing into it changes nothing else of it
// (fsutil, copy.Copy).
func touch(action *llb.FileAction, folder string) *llb.FileAction {
	return action.Copy(llb.Scratch(), "/", folder, &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &fileTime})
}

// folder adds an empty folder at a spot. To one that is there it gives the owner of info, and the mode if that has one.
// It is a copy, as a Mkdir leaves what is there as it is, and knows no bits above 0777.
func folder(action *llb.FileAction, spot Spot, info *llb.CopyInfo) *llb.FileAction {
	if spot.Path == "/" {
		return action.Mkdir("/", 0o755, llb.WithParents(true)) // nothing
	}
	if info.Mode == nil {
		info.Mode = &llb.ChmodOpt{Mode: 0o755}
		if isFolder(spot.Stat) {
			info.Mode.Mode = unixMode(mode(spot.Stat))
		}
	}
	made := llb.Mkdir("/"+path.Base(spot.Path), 0o755, llb.WithCreatedTime(fileTime))
	return action.Copy(made.WithState(llb.Scratch()), "/", path.Dir(spot.Path), info)
}

// changed are the folders that files can give another time than all files have: new ones on the way of an entry, that
// other entries put something into as well, and of those of the base the deepest.
func changed(files []spec.File, ground Ground) []string {
	var all []string
	for _, f := range files {
		spot := ground.at(f.To)
		last := path.Dir(spot.Path)
		if isEmptyFolder(f) || strings.HasSuffix(f.To, "/") || within(clean(f.To), spot.App) {
			last = spot.Path
		}
		top := cmp.Or(spot.Folder, "/")
		for p := last; p != top && within(top, p); p = path.Dir(p) {
			all = append(all, p)
		}
		if spot.Folder != "" {
			all = append(all, spot.Folder)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// isEmptyFolder tells of an entry that comes from nowhere.
func isEmptyFolder(f spec.File) bool { return f.From == "" && f.Context == "" }
