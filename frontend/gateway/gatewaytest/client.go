// Package gatewaytest is a BuildKit that answers from tables, for unit tests.
//
// Contract: a [Client] is a client.Client that runs nothing. The context and the files that steps leave are maps, images
// are a map, and any of them can be an error instead. What only a real BuildKit can show (that the graph does what it
// says) is for the tests in hack/e2e.
package gatewaytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"testing/fstest"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Client is a BuildKit that builds on linux/amd64. The zero Client has an empty context, no images, and steps that
// succeed and leave nothing.
type Client struct {
	// Options are those that buildx sends, such as "platform" or "build-arg:NAME".
	Options map[string]string
	// Lacks are capabilities of LLB that it does not have.
	Lacks []apicaps.CapID
	// Context is the build context, with the spec in it.
	Context fstest.MapFS
	// Steps say what becomes of vertices; the first that fits is taken.
	Steps []Step
	// Images are those of registries, by reference with tag.
	Images map[string]Image
	// Mounts are what failed steps have left in mounts, by the ids that [Failed] gives.
	Mounts map[string]fstest.MapFS
	// Git is what it says of git repositories.
	Git *sourceresolver.ResolveGitResponse

	mu       sync.Mutex
	solved   []string
	warnings []string
}

// Step is what becomes of a vertex.
type Step struct {
	// Name is what the name of the vertex begins with, such as "[publish] dotnet publish". For a source it is the beginning
	// of its identifier, such as "local://context".
	Name string
	// Files are what it leaves.
	Files fstest.MapFS
	// Err is why it fails; nil: it does not.
	Err error
	// Do runs while it does; nil: nothing.
	Do func(ctx context.Context) error
}

// Image is an image in a registry.
type Image struct {
	// Configs are the configurations by platform, such as "linux/arm64".
	Configs map[string]*dockerspec.DockerOCIImage
	// Err is what the registry answers instead; nil: it answers.
	Err error
}

// Failed is the error of a step that runs a command and fails. mounts are the folders of the mounts that can be read from
// it; the id of each is the name of the step and the folder.
func Failed(name string, mounts ...string) error {
	op := &pb.ExecOp{}
	var ids []string
	for _, dest := range mounts {
		op.Mounts = append(op.Mounts, &pb.Mount{Dest: dest})
		ids = append(ids, name+" "+dest)
	}
	return &errdefs.SolveError{
		Solve: &errdefs.Solve{
			Op:          &pb.Op{Op: &pb.Op_Exec{Exec: op}},
			Description: map[string]string{"llb.customname": name},
			MountIDs:    ids,
		},
		Err: fmt.Errorf("process %q did not complete successfully: exit code: 1", name),
	}
}

// Solved are the names of the vertices that were asked for, in order; that of a source is its identifier.
func (c *Client) Solved() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.solved)
}

// Warnings are those that the build gave.
func (c *Client) Warnings() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.warnings)
}

// BuildOpts gives the options, and the capabilities but for those that it lacks.
func (c *Client) BuildOpts() client.BuildOpts {
	caps := pb.Caps.All()
	for i := range caps {
		if slices.Contains(c.Lacks, apicaps.CapID(caps[i].ID)) {
			caps[i].Enabled = false
		}
	}
	opts := maps.Clone(c.Options)
	if opts == nil {
		opts = map[string]string{}
	}
	return client.BuildOpts{
		Opts:      opts,
		SessionID: "session",
		Workers:   []client.WorkerInfo{{ID: "worker", Platforms: []ocispecs.Platform{platforms.MustParse("linux/amd64")}}},
		Product:   "gatewaytest",
		LLBCaps:   pb.Caps.CapSet(caps),
		Caps:      gwpb.Caps.CapSet(gwpb.Caps.All()),
	}
}

// Inputs are none.
func (c *Client) Inputs(context.Context) (map[string]llb.State, error) { return nil, nil }

// Warn keeps a warning.
func (c *Client) Warn(_ context.Context, _ digest.Digest, msg string, _ client.WarnOpts) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.warnings = append(c.warnings, msg)
	return nil
}

// ResolveImageConfig gives the configuration of an image.
func (c *Client) ResolveImageConfig(
	ctx context.Context, ref string, opt sourceresolver.Opt,
) (string, digest.Digest, []byte, error) {
	if err := ctx.Err(); err != nil {
		return "", "", nil, err
	}
	img, ok := c.Images[ref]
	switch {
	case img.Err != nil:
		return "", "", nil, img.Err
	case !ok:
		return "", "", nil, fmt.Errorf("%s: not found", ref)
	}
	p := platforms.FormatAll(platforms.Normalize(*opt.ImageOpt.Platform))
	config, ok := img.Configs[p]
	if !ok {
		return "", "", nil, fmt.Errorf("no match for platform in manifest: %s: not found", p)
	}
	dt, err := json.Marshal(config)
	return ref, digest.FromString(ref), dt, err
}

// ResolveSourceMetadata tells of git repositories.
func (c *Client) ResolveSourceMetadata(
	_ context.Context, op *pb.SourceOp, _ sourceresolver.Opt,
) (*sourceresolver.MetaResponse, error) {
	if c.Git == nil {
		return nil, errors.New("the repository cannot be reached")
	}
	return &sourceresolver.MetaResponse{Op: op, Git: c.Git}, nil
}

// Solve gives what the vertex of a graph leaves, or the error of the first step of the graph that fails.
func (c *Client) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	g, err := parse(req.Definition)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.solved = append(c.solved, g[len(g)-1])
	c.mu.Unlock()
	files := fstest.MapFS(nil)
	for i, name := range g {
		step, ok := c.step(name)
		if !ok {
			continue
		}
		if step.Do != nil {
			if err := step.Do(ctx); err != nil {
				return nil, err
			}
		}
		if step.Err != nil {
			return nil, step.Err
		}
		if i == len(g)-1 {
			files = step.Files
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	res := client.NewResult()
	res.SetRef(&reference{files: files, def: req.Definition})
	return res, nil
}

// step is what becomes of a vertex.
func (c *Client) step(name string) (Step, bool) {
	for _, s := range c.Steps {
		if strings.HasPrefix(name, s.Name) {
			return s, true
		}
	}
	if strings.HasPrefix(name, "local://") {
		return Step{Files: c.Context}, true
	}
	return Step{}, false
}

// parse gives the names of the vertices of a graph, each after its inputs. The last is the one that is asked for.
func parse(def *pb.Definition) ([]string, error) {
	var names []string
	for _, dt := range def.GetDef() {
		op := &pb.Op{}
		if err := op.UnmarshalVT(dt); err != nil {
			return nil, err
		}
		if op.Op == nil { // points at the vertex that is asked for, which is the one before
			continue
		}
		name := def.Metadata[string(digest.FromBytes(dt))].GetDescription()["llb.customname"]
		if src := op.GetSource(); src != nil {
			name = src.Identifier
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return []string{""}, nil
	}
	return names, nil
}

// NewContainer gives a container whose only use is to read the mount of a failed step.
func (c *Client) NewContainer(_ context.Context, req client.NewContainerRequest) (client.Container, error) {
	files, ok := c.Mounts[req.Mounts[0].ResultID]
	if !ok {
		return nil, fmt.Errorf("no such result: %s", req.Mounts[0].ResultID)
	}
	return &container{reference{files: files}}, nil
}

type container struct{ mount reference }

func (c *container) Start(context.Context, client.StartRequest) (client.ContainerProcess, error) {
	return nil, errors.New("nothing runs here")
}
func (c *container) Release(context.Context) error { return nil }
func (c *container) ReadFile(ctx context.Context, req client.ReadContainerRequest) ([]byte, error) {
	return c.mount.ReadFile(ctx, req.ReadRequest)
}

// clean is the name of a file as io/fs has it.
func clean(name string) string { return strings.TrimPrefix(path.Join(".", path.Clean("/"+name)), "/") }

// notFound is the error of BuildKit's gateway about a file, which is text by the time that it arrives.
func notFound(op, name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("failed to %s %s: no such file or directory", op, name)
	}
	return err
}
