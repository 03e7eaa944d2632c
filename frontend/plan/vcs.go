package plan

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
)

// vcs gives the repository and commit of the context, if the spec or the project want them in labels. For a git context
// BuildKit knows them. For a local context buildx sends them.
func vcs(ctx context.Context, req *request.Request, f *facts.Facts) (xllb.VCS, error) {
	wanted := f.App.PublishesVCS && req.Target.Kind == spec.TargetImage
	if req.Spec.Image.VCS != nil && req.Target.Kind == spec.TargetImage {
		wanted = *req.Spec.Image.VCS
	}
	if !wanted {
		return xllb.VCS{}, nil
	}
	src, md, err := req.Gateway.GitSource(ctx, f.Tree.Context)
	if err != nil {
		return xllb.VCS{}, fmt.Errorf("resolve the commit of the context: %w", err)
	}
	if src == nil {
		return xllb.VCS{
			Source:   withoutUserinfo(req.Gateway.Opt("vcs:source")),
			Revision: req.Gateway.Opt("vcs:revision"),
		}, nil
	}
	v := xllb.VCS{Source: withoutUserinfo(src.Attrs[pb.AttrFullRemoteURL])}
	if md.Git != nil {
		v.Revision = md.Git.Checksum
		if md.Git.CommitChecksum != "" { // the commit that an annotated tag names
			v.Revision = md.Git.CommitChecksum
		}
	}
	return v, nil
}

// withoutUserinfo is the URL of a repository without user and password, which may be secret. Like the SDK, it drops
// .git at the end. It keeps the user of an ssh URL: that is no secret, and the URL does not work without it.
func withoutUserinfo(remote string) string {
	if u, err := url.Parse(remote); err == nil && u.User != nil {
		name := u.User.Username()
		u.User = nil
		if u.Scheme == "ssh" {
			u.User = url.User(name)
		}
		remote = u.String()
	}
	return strings.TrimSuffix(remote, ".git")
}
