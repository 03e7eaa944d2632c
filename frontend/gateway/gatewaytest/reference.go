package gatewaytest

import (
	"context"
	"io/fs"
	"path"
	"testing/fstest"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// reference is what a vertex leaves. The data of a symbolic link is its target.
type reference struct {
	files fstest.MapFS
	def   *pb.Definition
}

func (r *reference) ToState() (llb.State, error) {
	op, err := llb.NewDefinitionOp(r.def)
	if err != nil {
		return llb.State{}, err
	}
	return llb.NewState(op), nil
}

func (r *reference) Evaluate(ctx context.Context) error { return ctx.Err() }

func (r *reference) ReadFile(ctx context.Context, req client.ReadRequest) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	dt, err := r.files.ReadFile(clean(req.Filename))
	return dt, notFound("open", req.Filename, err)
}

func (r *reference) StatFile(ctx context.Context, req client.StatRequest) (*fstypes.Stat, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	info, err := r.files.Lstat(clean(req.Path))
	if err != nil {
		return nil, notFound("lstat", req.Path, err)
	}
	return r.stat(clean(req.Path), info), nil
}

func (r *reference) ReadDir(ctx context.Context, req client.ReadDirRequest) ([]*fstypes.Stat, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	dir := clean(req.Path)
	entries, err := r.files.ReadDir(dir)
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
		stats = append(stats, r.stat(path.Join(dir, entry.Name()), info))
	}
	return stats, nil
}

// stat is a file in the words of the gateway, which gives base names.
func (r *reference) stat(name string, info fs.FileInfo) *fstypes.Stat {
	st := &fstypes.Stat{
		Path: info.Name(), Mode: uint32(info.Mode()), Size: info.Size(), ModTime: info.ModTime().UnixNano(),
	}
	if f := r.files[name]; f != nil && info.Mode()&fs.ModeSymlink != 0 {
		st.Linkname = string(f.Data)
	}
	return st
}

func (c *container) StatFile(ctx context.Context, req client.StatContainerRequest) (*fstypes.Stat, error) {
	return c.mount.StatFile(ctx, req.StatRequest)
}

func (c *container) ReadDir(ctx context.Context, req client.ReadDirContainerRequest) ([]*fstypes.Stat, error) {
	return c.mount.ReadDir(ctx, req.ReadDirRequest)
}
