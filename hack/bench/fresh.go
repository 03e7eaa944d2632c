package bench

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
)

// onFreshBuilder calls build with the environment of a builder that has nothing but the SDK's image, pulled and
// unpacked: a second buildkitd, which is gone afterwards.
func (r *runner) onFreshBuilder(ctx context.Context, build func(env []string) error) (err error) {
	second, err := r.lab.StartBuildkit(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, second.Stop(context.WithoutCancel(ctx))) }()
	env := []string{"BUILDX_CONFIG=" + filepath.Join(second.Dir, "buildx"), "BUILDX_BUILDER=fresh"}
	create := r.docker(ctx, env, "buildx", "create", "--name", "fresh", "--driver", "remote", second.Addr)
	if err := output(create); err != nil {
		return err
	}
	if err := r.unpackSDK(ctx, env); err != nil {
		return err
	}
	return build(env)
}

// unpackSDK makes a builder pull and unpack the SDK's image.
func (r *runner) unpackSDK(ctx context.Context, env []string) error {
	return r.buildText(ctx, env, one, "FROM "+sdkImage+"\nRUN true\n")
}

// buildText builds a Dockerfile without a context, for nothing but what the builder has in its cache afterwards.
func (r *runner) buildText(ctx context.Context, env []string, p platforms, dockerfile string) error {
	cmd := r.docker(ctx, env, "buildx", "build", "--progress=plain", "--platform", string(p), "-")
	cmd.Stdin = strings.NewReader(dockerfile)
	return output(cmd)
}
