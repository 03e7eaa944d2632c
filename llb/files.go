package llb

import (
	"archive/tar"
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerfile/dfgitutil"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Entry is an entry of files, for the image of a platform.
type Entry struct {
	spec.File
	// Sources are what it copies, in this order.
	Sources []Source
	// Below is the base with the entries before this one. Found are the paths there that it removes or changes.
	Below llb.State
	Found []string
	// KeepsModes tells that files keep their modes, if the entry has none.
	KeepsModes bool
}

// makes tells whether the entry puts something at its place.
func (e Entry) makes() bool { return e.Kind() != spec.Removes && e.Kind() != spec.Changes }

// Source is a file at a path of a state, or the content of a folder there, except what patterns match.
type Source struct {
	State   llb.State
	Path    string
	Exclude []string
}

// Files is a layer with the files of the spec, in the places that [Look] found. user is the user of the image. It gives
// nil if the entries change only layers of the app.
func (b *Builder) Files(entries []Entry, user string, ground Ground) (*Layer, error) {
	var action *llb.FileAction // one action for all: each step would make a layer
	var err error
	taken := false
	for _, e := range entries {
		for _, place := range e.Place() {
			spot := ground.at(place)
			taken = taken || spot.Taken
			if spot.App != "" && e.makes() { // or it would get the mode and owner of the entry
				action = action.Mkdir(spot.App, 0o755, llb.WithParents(true), llb.WithCreatedTime(fileTime))
			}
		}
		if action, err = b.file(action, e, ground, user); err != nil {
			return nil, err
		}
	}
	if action == nil {
		return nil, nil
	}
	for _, p := range changed(entries, ground) {
		action = touch(action, p)
	}
	layer := &Layer{phase: PhaseFiles, name: "files"}
	if taken || slices.ContainsFunc(entries, func(e Entry) bool { return len(e.Found) > 0 }) {
		layer.copy = action
		return layer, nil
	}
	layer.State = llb.Scratch().File(action, b.ofFiles("add files")...)
	return layer, nil
}

// FilePart is the name of the part of the context that has the files of the spec.
const FilePart = "files of the image"

// ReadOf limits what the client sends of a named context, if that is a folder of the user's machine: it sends only what
// files of the spec take from it.
func ReadOf(context string, files []spec.File) []llb.LocalOption {
	var paths []string
	for _, f := range files {
		if f.Context != context {
			continue
		}
		if len(f.From) == 0 {
			return nil
		}
		for _, from := range f.From {
			from = strings.TrimPrefix(path.Join("/", from), "/")
			if from == "" || strings.ContainsAny(from, `*?[\`) {
				return nil
			}
			paths = append(paths, from)
		}
	}
	return []llb.LocalOption{llb.FollowPaths(paths)}
}

// FileReads are what copies of files of the context read. names are those files.
func FileReads(names []string) Reads {
	var reads Reads
	for _, name := range names {
		reads.Include = append(reads.Include, dotnet.Escape(path.Clean(name)))
	}
	return reads
}

// file adds an entry of files to action.
func (b *Builder) file(action *llb.FileAction, e Entry, ground Ground, user string) (*llb.FileAction, error) {
	info := &llb.CopyInfo{
		FollowSymlinks: true, CopyDirContentsOnly: true, CreateDestPath: true, CreatedTime: &fileTime,
	}
	var err error
	if info.ChownOpt, err = chown(e.File, user); err != nil {
		return nil, err
	}
	if info.Mode, err = chmod(e.File); err != nil {
		return nil, err
	}
	switch e.Kind() {
	case spec.MakesFolder:
		return folder(action, ground.at(e.To), info), nil
	case spec.Links:
		info.FollowSymlinks = false
		return action.Copy(symlink(path.Base(path.Clean(e.Link)), e.To), "/", e.Place()[0], info), nil
	case spec.Removes:
		for _, p := range e.Found {
			action = action.Rm(p, llb.WithAllowNotFound(true)) // it may be in one that is removed already
		}
		return action, nil
	case spec.Changes:
		for _, p := range e.Found {
			action = change(action, e.Below, p, info.Mode, info.ChownOpt, nil)
		}
		return action, nil
	}
	if info.Mode == nil && !e.KeepsModes {
		info.Mode = b.readable()
	}
	info.ExcludePatterns = e.Exclude
	for _, src := range e.Sources {
		from := *info
		from.ExcludePatterns = slices.Concat(e.Exclude, src.Exclude)
		action = action.Copy(src.State, src.Path, e.To, &from)
	}
	return action, nil
}

// Edit is what entries of files change in a layer of the app. Paths are absolute paths in the image.
type Edit struct {
	Remove []string
	Change []Change
}

// Change gives a path, and all that is in it, a mode and an owner. One that is nil stays.
type Change struct {
	Path  string
	Mode  *llb.ChmodOpt
	Owner *llb.ChownOpt
}

// NewChanges are the changes that an entry makes to paths. user is the user of the image.
func NewChanges(f spec.File, user string, paths []string) ([]Change, error) {
	owner, err := chown(f, user)
	if err != nil {
		return nil, err
	}
	mode, err := chmod(f)
	if err != nil {
		return nil, err
	}
	var all []Change
	for _, p := range paths {
		all = append(all, Change{p, mode, owner})
	}
	return all, nil
}

// removed are patterns of what is removed, relative to dir.
func (e Edit) removed(dir string) []string {
	var patterns []string
	for _, p := range e.Remove {
		patterns = append(patterns, dotnet.Escape(strings.TrimPrefix(strings.TrimPrefix(p, clean(dir)), "/")))
	}
	return patterns
}

// changed makes changes to a layer, one after the other, and puts the result into a single layer again.
func (b *Builder) changed(name string, st llb.State, edit Edit) llb.State {
	if len(edit.Change) == 0 {
		return st
	}
	for _, c := range edit.Change {
		if edit.Removes(c.Path) {
			continue
		}
		st = st.File(change(nil, st, c.Path, c.Mode, c.Owner, &fileTime), b.ofFiles("change "+c.Path)...)
	}
	info := &llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &fileTime}
	return llb.Scratch().File(llb.Copy(st, "/", "/", info), b.ofFiles("copy changed "+name)...)
}

// change adds a copy of a path onto itself, with another mode and owner. It copies from the folder of the path, because
// a copy changes nothing of the folder that it copies to, only of what is in it. Without a time, all keep theirs.
func change(
	action *llb.FileAction, from llb.State, p string, mode *llb.ChmodOpt, owner *llb.ChownOpt, at *time.Time,
) *llb.FileAction {
	return action.Copy(from, path.Dir(p), path.Dir(p), &llb.CopyInfo{
		CopyDirContentsOnly: true, FollowSymlinks: true, CreatedTime: at, Mode: mode, ChownOpt: owner,
		IncludePatterns: []string{dotnet.Escape(path.Base(p))},
	})
}

// forUser tells whether a file belongs to the user that the image runs as.
func forUser(f spec.File) bool {
	return f.Owner == "app" || f.Owner == "" && f.Kind() == spec.MakesFolder
}

// ForUser tells whether one of files belongs to the user that the image runs as, so that its layer is of that user.
func ForUser(files []spec.File) bool { return slices.ContainsFunc(files, forUser) }

// chown gives the owner of a file by number, because a separate layer has no /etc/passwd with names. It is nil if the
// owner stays.
func chown(f spec.File, user string) (*llb.ChownOpt, error) {
	if kind := f.Kind(); kind == spec.Removes || kind == spec.Changes && f.Owner == "" {
		return nil, nil
	}
	owner := cmp.Or(f.Owner, "0")
	if forUser(f) {
		owner = user
	}
	uid, gid, both := strings.Cut(owner, ":")
	if !both {
		gid = uid
	}
	u, errU := number(uid)
	g, errG := number(gid)
	if errU != nil || errG != nil {
		return nil, fmt.Errorf("files: the owner of %s has no number: %s", f, owner) // see [Users.Owned]
	}
	return &llb.ChownOpt{User: &llb.UserOpt{UID: u}, Group: &llb.UserOpt{UID: g}}, nil
}

// number is the number of a user or a group. Root needs no file to have one.
func number(name string) (int, error) {
	if name == "root" {
		return 0, nil
	}
	return strconv.Atoi(name)
}

// chmod gives the mode of an entry; nil if it has none.
func chmod(f spec.File) (*llb.ChmodOpt, error) {
	if f.Mode == "" {
		return nil, nil
	}
	mode, err := spec.FileMode(f.Mode)
	if err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	return &llb.ChmodOpt{Mode: mode}, nil
}

// symlink is a folder with a symbolic link. BuildKit has an action for links since 0.21. Every BuildKit can unpack an
// archive, which gives the same link.
func symlink(name, to string) llb.CopyInput {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	// A buffer takes everything, and tar all names that a spec can have.
	_ = w.WriteHeader(&tar.Header{
		Typeflag: tar.TypeSymlink, Name: name, Linkname: to, Mode: 0o777, ModTime: fileTime, Format: tar.FormatPAX,
	})
	_ = w.Close()
	const file = "/link.tar"
	made := llb.Mkfile(file, 0o644, archive.Bytes(), llb.WithCreatedTime(fileTime)).WithState(llb.Scratch())
	return llb.Copy(made, file, "/", &llb.CopyInfo{AttemptUnpack: true, CreatedTime: &fileTime}).
		WithState(llb.Scratch())
}

// ArchiveName is the name of an archive before it is unpacked. If the unpacked files have such a file, it was no
// archive: BuildKit has copied it.
const ArchiveName = "crosshull.not-an-archive"

// Unpack gives the files of an archive, a file of st.
func (b *Builder) Unpack(st llb.State, file string) llb.State {
	var archive llb.CopyInput = st
	if file != ArchiveName {
		renamed := llb.Copy(st, path.Join("/", file), "/"+ArchiveName, &llb.CopyInfo{
			FollowSymlinks: true, CreatedTime: &fileTime,
		})
		archive = renamed.WithState(llb.Scratch())
	}
	info := &llb.CopyInfo{AttemptUnpack: true, CreatedTime: &fileTime}
	return llb.Scratch().File(llb.Copy(archive, "/"+ArchiveName, "/", info), b.ofFiles("unpack "+path.Base(file))...)
}

// Strip leaves out the first folders of each path. As with tar, what has fewer folders is left out, and folders of one
// name become one.
func (b *Builder) Strip(st llb.State, folders int) llb.State {
	info := &llb.CopyInfo{AllowWildcard: true, AllowEmptyWildcard: true, CreatedTime: &fileTime}
	action := llb.Copy(st, strings.Repeat("/*", folders+1), "/", info)
	return llb.Scratch().File(action, b.ofFiles(fmt.Sprintf("leave out %d folders", folders))...)
}

// ofFiles are the options of a vertex for the files of the spec.
func (b *Builder) ofFiles(name string) []llb.ConstraintsOpt {
	return append(b.Constraints(PhaseFiles), llb.WithCustomName("["+PhaseImage+"] "+name))
}

// ofEntry are the options of a source that is the entry with an index, from 0, of the files of the spec.
func (b *Builder) ofEntry(i int, name string) []llb.ConstraintsOpt {
	return append(b.Constraints(fmt.Sprintf("%s %d", PhaseFiles, i)), llb.WithCustomName("["+PhaseImage+"] "+name))
}

// HTTP is a file from an address, for an entry of files, by the name that [Source] has it. sum may be empty, to learn
// what it is.
func (b *Builder) HTTP(entry int, url, name string, sum digest.Digest) llb.State {
	opts := []llb.HTTPOption{llb.Filename(name)}
	if sum != "" {
		opts = append(opts, llb.Checksum(sum))
	}
	for _, c := range b.ofEntry(entry, spec.ShownURL(url)) {
		opts = append(opts, c)
	}
	return llb.HTTP(url, opts...)
}

// Git are the files of a git repository at an address, as ADD of a Dockerfile takes it, for an entry of files. commit
// may be empty.
func (b *Builder) Git(entry int, url, commit string) (llb.State, error) {
	ref, _, err := dfgitutil.ParseGitRef(url)
	if err != nil {
		return llb.State{}, err
	}
	if commit == "" {
		commit = ref.Checksum
	}
	opts := []llb.GitOption{llb.GitRef(ref.Ref), llb.GitSubDir(ref.SubDir)}
	if commit != "" {
		if err := b.Caps.Supports(pb.CapSourceGitChecksum); err != nil {
			return llb.State{}, fmt.Errorf("this BuildKit cannot check a commit: write the commit in place of %q after #, "+
				"without checksum: %w", ref.Ref, err)
		}
		opts = append(opts, llb.GitChecksum(commit))
	}
	if ref.Submodules != nil && !*ref.Submodules {
		opts = append(opts, llb.GitSkipSubmodules())
	}
	for _, c := range b.ofEntry(entry, "git "+spec.ShownURL(url)) {
		opts = append(opts, c)
	}
	return llb.Git(ref.Remote, "", opts...), nil
}

// Removes tells whether a path is removed, or in a folder that is.
func (e Edit) Removes(p string) bool {
	return slices.ContainsFunc(e.Remove, func(removed string) bool { return Within(removed, p) })
}

// FilesOf is the part of the context that has files of the spec.
func (b *Builder) FilesOf(names []string) llb.State {
	if len(names) == 0 {
		return b.Context
	}
	return b.part(FilePart, FileReads(names))
}

// ContextSources are files of the context, of a part that has them.
func ContextSources(part llb.State, names []string) []Source {
	var all []Source
	for _, name := range names {
		src := Source{State: part, Path: path.Join("/", name)}
		if IsWholeContext(name) {
			src.Exclude = dotnet.GitDirs()
		}
		all = append(all, src)
	}
	return all
}

// IsWholeContext tells whether a file of the context is all of it. Such a copy leaves out .git. If the user keeps .git
// in the context, it is for the steps that build: an image would get the whole history, and another layer with every
// commit.
func IsWholeContext(name string) bool { return path.Clean(name) == "." }
