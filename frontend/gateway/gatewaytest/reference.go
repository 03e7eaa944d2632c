package gatewaytest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing/fstest"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// reference is the result of a graph.
type reference struct {
	client   *Client
	vertices []vertex
	def      *pb.Definition
}

func (r *reference) ToState() (llb.State, error) {
	op, err := llb.NewDefinitionOp(r.def)
	if err != nil {
		return llb.State{}, err
	}
	return llb.NewState(op), nil
}

func (r *reference) Evaluate(ctx context.Context) error {
	_, err := r.result(ctx)
	return err
}

// result is what the last vertex leaves, or the error of the first that fails, with what BuildKit says of it
// (solver/jobs.go; solver/llbsolver, resultProxy.wrapError).
func (r *reference) result(ctx context.Context) (folder, error) {
	var step Step
	for _, v := range r.vertices {
		var err error
		if step, err = r.client.run(ctx, v); err != nil {
			return folder{}, r.locate(errdefs.WrapVertex(err, digest.Digest(v.digest)), v.digest)
		}
	}
	return folder{step.Files, step.Errs, r.client.MaxEntries}, nil
}

// locate makes the error of a vertex point at where the vertex says that it comes from.
func (r *reference) locate(err error, vertex string) error {
	for _, at := range r.def.GetSource().GetLocations()[vertex].GetLocations() {
		err = errdefs.WithSource(err, &errdefs.Source{Info: r.def.Source.Infos[at.SourceIndex], Ranges: at.Ranges})
	}
	return err
}

func (r *reference) ReadFile(ctx context.Context, req client.ReadRequest) ([]byte, error) {
	f, err := r.result(ctx)
	if err != nil {
		return nil, err
	}
	return f.readFile(req)
}

func (r *reference) StatFile(ctx context.Context, req client.StatRequest) (*fstypes.Stat, error) {
	f, err := r.result(ctx)
	if err != nil {
		return nil, err
	}
	return f.statFile(req)
}

func (r *reference) ReadDir(ctx context.Context, req client.ReadDirRequest) ([]*fstypes.Stat, error) {
	f, err := r.result(ctx)
	if err != nil {
		return nil, err
	}
	return f.readDir(req)
}

// folder is what a vertex leaves. The data of a symbolic link is its target.
type folder struct {
	files fstest.MapFS
	errs  map[string]error
	max   int // entries in an answer
}

func (f folder) readFile(req client.ReadRequest) ([]byte, error) {
	if err := f.errs[clean(req.Filename)]; err != nil {
		return nil, err
	}
	dt, err := f.files.ReadFile(clean(req.Filename))
	if r := req.Range; r != nil && err == nil {
		dt = dt[min(r.Offset, len(dt)):min(r.Offset+r.Length, len(dt))]
	}
	return dt, notFound("open", req.Filename, err)
}

func (f folder) statFile(req client.StatRequest) (*fstypes.Stat, error) {
	if err := f.errs[clean(req.Path)]; err != nil {
		return nil, err
	}
	info, err := f.files.Stat(clean(req.Path)) // a link is followed (cache/util, StatFile)
	if err != nil {
		return nil, notFound("lstat", req.Path, err)
	}
	return f.stat("", info), nil
}

func (f folder) readDir(req client.ReadDirRequest) ([]*fstypes.Stat, error) {
	dir := clean(req.Path)
	if err := f.errs[dir]; err != nil {
		return nil, err
	}
	entries, err := f.files.ReadDir(dir)
	if err != nil {
		return nil, notFound("open", req.Path, err)
	}
	var stats []*fstypes.Stat
	for _, entry := range entries {
		if ok, _ := path.Match(req.IncludePattern, entry.Name()); !ok && req.IncludePattern != "" {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			return nil, err
		}
		stats = append(stats, f.stat(path.Join(dir, entry.Name()), info))
	}
	if f.max > 0 && len(stats) > f.max {
		return nil, errors.New("grpc: received message larger than max")
	}
	return stats, nil
}

// stat is a file in the words of the gateway, which gives base names.
func (f folder) stat(name string, info fs.FileInfo) *fstypes.Stat {
	st := &fstypes.Stat{
		Path: info.Name(), Mode: uint32(info.Mode()), Size: info.Size(), ModTime: info.ModTime().UnixNano(),
	}
	if file := f.files[name]; file != nil && info.Mode()&fs.ModeSymlink != 0 {
		st.Linkname = string(file.Data)
	}
	return st
}

// clean is the name of a file as io/fs has it.
func clean(name string) string { return cmp.Or(strings.TrimPrefix(path.Clean("/"+name), "/"), ".") }

// notFound is the error of BuildKit's gateway about a file, which is text by the time that it arrives.
func notFound(op, name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("failed to %s %s: no such file or directory", op, name)
	}
	return err
}
