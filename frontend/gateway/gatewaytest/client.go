// Package gatewaytest is a BuildKit that answers from tables, for unit tests.
//
// Contract: a [Client] is a client.Client that runs nothing. The context and the files that steps leave are maps,
// images are a map, and any of them can be an error instead. What only a real BuildKit can show (that the graph does
// what it says) is for the tests in hack/e2e. [Console] is one whose build works, and [Want] is what a test wants of an
// error.
package gatewaytest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
	fstypes "github.com/tonistiigi/fsutil/types"
)

// Client is a BuildKit. The zero Client builds on linux/amd64, has an empty context, no images, and steps that succeed
// and leave nothing.
type Client struct {
	// Worker is the platform that it builds on; empty: linux/amd64.
	Worker string
	// Options are those that buildx sends, such as "platform" or "build-arg:NAME".
	Options map[string]string
	// Lacks are capabilities of LLB that it does not have.
	Lacks []apicaps.CapID
	// Context is the build context, with the spec in it.
	Context fstest.MapFS
	// Closed are files and folders of the client that it cannot read.
	Closed []string
	// MaxEntries is how many entries of a folder fit into an answer; 0: any number.
	MaxEntries int
	// Steps say what becomes of vertices. The first that fits wins.
	Steps []Step
	// Images are those of registries, by reference with tag.
	Images map[string]Image
	// Mounts are what failed steps have left in mounts, by the ids that [Failed] gives.
	Mounts map[string]fstest.MapFS
	// Git is what it says of git repositories.
	Git *sourceresolver.ResolveGitResponse

	mu        sync.Mutex
	solved    []string
	ran       []vertex
	warnings  []Warning
	transfers []Transfer
	sent      map[vertex]fstest.MapFS
}

// Step is what becomes of a vertex.
type Step struct {
	// Name is what the name of the vertex begins with, such as "[publish] dotnet publish". For a source it is the
	// beginning of its identifier, such as "local://context".
	Name string
	// Files are what it leaves.
	Files fstest.MapFS
	// Errs are the errors for single files that it leaves, by name; "." is the root.
	Errs map[string]error
	// Err is the error that it fails with; nil if it succeeds.
	Err error
	// Do runs as part of the vertex, until it has succeeded once. It may be nil.
	Do func(ctx context.Context) error
}

// Image is an image in a registry.
type Image struct {
	// Configs are the configurations by platform, such as "linux/arm64".
	Configs map[string]*dockerspec.DockerOCIImage
	// Elsewhere is the reference that a source policy has for it; empty: its own.
	Elsewhere string
	// Err is the error that the registry answers with; nil if it has the image.
	Err error
	// Do runs before the answer. It may be nil.
	Do func(ctx context.Context) error
}

// Warning is a warning as it was given.
type Warning struct {
	Message string
	client.WarnOpts
}

// Failed is the error of a step that runs a command and fails. mounts are the folders of the mounts that can be read
// from it; the id of each is the name of the step and the folder.
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

// Ran are the names of the vertices that had to run so far, each vertex once, as BuildKit runs it.
func (c *Client) Ran() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := make([]string, len(c.ran))
	for i, v := range c.ran {
		names[i] = v.name
	}
	return names
}

// Warnings are the messages of the warnings that the build gave.
func (c *Client) Warnings() []string {
	var messages []string
	for _, w := range c.Warned() {
		messages = append(messages, w.Message)
	}
	return messages
}

// Warned are the warnings that the build gave.
func (c *Client) Warned() []Warning {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.warnings)
}

// BuildOpts gives the options, and all capabilities except Lacks.
func (c *Client) BuildOpts() client.BuildOpts {
	caps := pb.Caps.All()
	for i := range caps {
		if slices.Contains(c.Lacks, apicaps.CapID(caps[i].ID)) {
			caps[i].Enabled = false
		}
	}
	worker := platforms.MustParse(cmp.Or(c.Worker, "linux/amd64"))
	opts := maps.Clone(c.Options)
	if opts == nil {
		opts = map[string]string{}
	}
	return client.BuildOpts{
		Opts:      opts,
		SessionID: "session",
		Workers:   []client.WorkerInfo{{ID: "worker", Platforms: []ocispecs.Platform{worker}}},
		Product:   "gatewaytest",
		LLBCaps:   pb.Caps.CapSet(caps),
		Caps:      gwpb.Caps.CapSet(gwpb.Caps.All()),
	}
}

// Inputs gives no inputs.
func (c *Client) Inputs(context.Context) (map[string]llb.State, error) { return nil, nil }

// Warn keeps a warning.
func (c *Client) Warn(_ context.Context, _ digest.Digest, msg string, opts client.WarnOpts) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.warnings = append(c.warnings, Warning{msg, opts})
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
	if img.Do != nil {
		if err := img.Do(ctx); err != nil {
			return "", "", nil, err
		}
	}
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
	return cmp.Or(img.Elsewhere, ref), digest.FromString(ref), dt, err
}

// ResolveSourceMetadata tells of git repositories.
func (c *Client) ResolveSourceMetadata(
	ctx context.Context, op *pb.SourceOp, _ sourceresolver.Opt,
) (*sourceresolver.MetaResponse, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if c.Git == nil {
		return nil, errors.New("the repository cannot be reached")
	}
	return &sourceresolver.MetaResponse{Op: op, Git: c.Git}, nil
}

// Solve gives what the vertex of a graph leaves. As in BuildKit, it runs when something of that is read, unless the
// request says otherwise, and an empty graph gives no reference.
func (c *Client) Solve(ctx context.Context, req client.SolveRequest) (*client.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	vertices, err := c.parse(req.Definition)
	if err != nil {
		return nil, err
	}
	res := client.NewResult()
	if len(vertices) == 0 {
		return res, nil
	}
	c.mu.Lock()
	c.solved = append(c.solved, vertices[len(vertices)-1].name)
	c.mu.Unlock()
	ref := &reference{client: c, vertices: vertices, def: req.Definition}
	if req.Evaluate {
		if err := ref.Evaluate(ctx); err != nil {
			return nil, err
		}
	}
	res.SetRef(ref)
	return res, nil
}

// vertex is a vertex of a graph.
type vertex struct {
	digest, name string
	attrs        string // of a source, as JSON
}

// run runs a vertex, or gives the error that it fails with.
func (c *Client) run(ctx context.Context, v vertex) (Step, error) {
	if err := ctx.Err(); err != nil {
		return Step{}, err
	}
	step := c.step(v.name)
	c.mu.Lock()
	again := slices.Contains(c.ran, v)
	if !again {
		c.ran = append(c.ran, v)
	}
	c.mu.Unlock()
	if step.Do != nil && !again {
		if err := step.Do(ctx); err != nil {
			c.mu.Lock()
			c.ran = slices.DeleteFunc(c.ran, func(other vertex) bool { return other == v })
			c.mu.Unlock()
			return Step{}, err
		}
	}
	if step.Err != nil || !v.isLocal() {
		return step, step.Err
	}
	var err error
	step.Files, err = c.transferOnce(ctx, v, step.Files)
	return step, err
}

// step is what becomes of a vertex.
func (c *Client) step(name string) Step {
	for _, s := range c.Steps {
		if strings.HasPrefix(name, s.Name) {
			return s
		}
	}
	if strings.HasPrefix(name, "local://") {
		return Step{Files: c.Context}
	}
	return Step{}
}

// parse gives the vertices of a graph, each after its inputs. The last is the one that is asked for. Like BuildKit's
// client it refuses what the daemon cannot do.
func (c *Client) parse(def *pb.Definition) ([]vertex, error) {
	var vertices []vertex
	caps := c.BuildOpts().LLBCaps
	for _, dt := range def.GetDef() {
		op := &pb.Op{}
		if err := op.UnmarshalVT(dt); err != nil {
			return nil, err
		}
		if op.Op == nil { // points at the vertex that is asked for, which is the one before
			continue
		}
		v := vertex{digest: string(digest.FromBytes(dt))}
		for id := range def.Metadata[v.digest].GetCaps() {
			if err := caps.Supports(apicaps.CapID(id)); err != nil {
				return nil, err
			}
		}
		v.name = def.Metadata[v.digest].GetDescription()["llb.customname"]
		if src := op.GetSource(); src != nil {
			attrs, err := json.Marshal(src.Attrs)
			if err != nil {
				return nil, err
			}
			v.name, v.attrs = src.Identifier, string(attrs)
		}
		vertices = append(vertices, v)
	}
	return vertices, nil
}

// NewContainer gives a container whose only use is to read the mount of a failed step.
func (c *Client) NewContainer(_ context.Context, req client.NewContainerRequest) (client.Container, error) {
	files, ok := c.Mounts[req.Mounts[0].ResultID]
	if !ok {
		return nil, fmt.Errorf("no such result: %s", req.Mounts[0].ResultID)
	}
	return &container{folder{files: files}}, nil
}

type container struct{ mount folder }

func (c *container) Start(context.Context, client.StartRequest) (client.ContainerProcess, error) {
	return nil, errors.New("nothing runs here")
}
func (c *container) Release(context.Context) error { return nil }
func (c *container) ReadFile(_ context.Context, req client.ReadContainerRequest) ([]byte, error) {
	return c.mount.readFile(req.ReadRequest)
}
func (c *container) StatFile(_ context.Context, req client.StatContainerRequest) (*fstypes.Stat, error) {
	return c.mount.statFile(req.StatRequest)
}
func (c *container) ReadDir(_ context.Context, req client.ReadDirContainerRequest) ([]*fstypes.Stat, error) {
	return c.mount.readDir(req.ReadDirRequest)
}
