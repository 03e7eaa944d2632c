// Package gateway is where crosshull meets BuildKit.
//
// Contract: a [Client] belongs to one build. It solves graphs, reads what they leave, resolves images, warns, and runs
// work in the background; no other package calls BuildKit's client. Errors of BuildKit keep their types (errors.As
// finds SolveError, VertexError and so on). [Client.Diagnose] gives the error of a failed step a better text, and
// [Return] prepares an error for the user. Nothing here knows what a spec is.
package gateway

import (
	"context"
	"maps"
	"path"
	"slices"
	"sync"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/util/apicaps"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Client is BuildKit, for one build. Its [dockerui.Config] holds the options of buildx.
type Client struct {
	*dockerui.Client
	gw client.Client
	*session
}

// session is the state that all clients of one build share.
type session struct {
	marshaling sync.Mutex
	registry   registry
	solves     solves
	background background
	closed     closed
	warned     warned
}

// New gives the client of a build. Call [Client.Close] when the build ends.
func New(ctx context.Context, gw client.Client) (*Client, error) {
	ui, err := options(gw)
	if err != nil {
		return nil, err
	}
	s := &session{registry: registry{answers: map[string]func() (resolution, error){}}}
	s.background.ctx, s.background.cancel = context.WithCancel(ctx)
	return &Client{ui, gw, s}, nil
}

// options reads the options of buildx. It keeps each platform once, also if the user names it twice or by two names,
// such as linux/arm64 and linux/arm64/v8: dockerui would make an index that lists the same image twice. The result
// stays an index.
func options(gw client.Client) (*dockerui.Client, error) {
	ui, err := dockerui.NewClient(gw)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	ui.TargetPlatforms = slices.DeleteFunc(ui.TargetPlatforms, func(p ocispecs.Platform) bool {
		id := platforms.FormatAll(platforms.Normalize(p)) // as dockerui.Client.Build names the image
		was := seen[id]
		seen[id] = true
		return was
	})
	return ui, nil
}

// Close stops the work in the background and waits until it has stopped. A panic in it becomes the error of the build,
// if the build has none yet.
func (c *Client) Close(err *error) { c.background.end(err) }

// Named gives a client of the same build as if -f named file, in the folder of the file that the user named.
func (c *Client) Named(file string) (*Client, error) {
	gw := renamed{c.gw, file}
	ui, err := options(gw)
	if err != nil {
		return nil, err
	}
	return &Client{ui, gw, c.session}, nil
}

// renamed is a client whose options name another file.
type renamed struct {
	client.Client
	file string
}

func (c renamed) BuildOpts() client.BuildOpts {
	opts := c.Client.BuildOpts()
	opts.Opts = maps.Clone(opts.Opts)
	opts.Opts["filename"] = path.Join(path.Dir(opts.Opts["filename"]), c.file)
	return opts
}

// Opt gives an option of the frontend as it was sent, such as "filename"; empty where it was not.
func (c *Client) Opt(name string) string { return c.gw.BuildOpts().Opts[name] }

// Caps are the capabilities of the BuildKit that runs the build.
func (c *Client) Caps() apicaps.CapSet { return c.gw.BuildOpts().LLBCaps }

// BuildPlatform is the platform that all steps run on.
func (c *Client) BuildPlatform() ocispecs.Platform { return c.BuildPlatforms[0] }

// Targets are the platforms of the images: those of --platform, else the platform that builds.
func (c *Client) Targets() []ocispecs.Platform {
	if len(c.TargetPlatforms) == 0 {
		return c.BuildPlatforms
	}
	return c.TargetPlatforms
}
