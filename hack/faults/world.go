package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	digest "github.com/opencontainers/go-digest"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/hack/faults/clock"
	"github.com/crosshull/crosshull/hack/lab"
	"github.com/crosshull/crosshull/hack/lab/debs"
	"github.com/crosshull/crosshull/hack/lab/tools"
	"github.com/crosshull/crosshull/hack/randomspec"
)

// World is where trials run, one after the other: a buildkitd that may be hurt, its name server, and proxies before
// registry, feed and mirror. The lab's own buildkitd is the builder that sees no fault. Make it with [New].
type World struct {
	lab            *lab.Lab
	dir            string // for contexts
	builder        *lab.Buildkit
	registry, feed *harming
	packages       *http.Server // OS packages: the mirrors of distributions are far away, and change
	mirror         *harming     // before packages
	names          *names       // for the steps of builder
	specs          *randomspec.Maker
	serial         int
}

// New starts what a world needs. The lab has to be up, and to have the frontend.
func New(ctx context.Context, l *lab.Lab) (w *World, err error) {
	w = &World{lab: l}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close(context.WithoutCancel(ctx)))
		}
	}()
	module, err := tools.ModuleDir(ctx)
	if err != nil {
		return w, err
	}
	if w.specs, err = randomspec.New(filepath.Dir(module)); err != nil {
		return w, err
	}
	if w.names, err = startNames(ctx); err != nil {
		return w, err
	}
	if w.builder, err = l.StartBuildkit(ctx, w.names.config()); err != nil {
		return w, err
	}
	w.dir = filepath.Join(w.builder.Dir, "contexts")
	if w.registry, err = startHarming(l.Registry()); err != nil {
		return w, err
	}
	if w.feed, err = startHarming(strings.TrimPrefix(strings.SplitN(l.FeedURL(), "/v3/", 2)[0], "http://")); err != nil {
		return w, err
	}
	if err := w.servePackages(ctx); err != nil {
		return w, err
	}
	for _, name := range []string{hurt, unhurt} {
		addr := w.builder.Addr
		if name == unhurt {
			addr = l.BuildkitAddr()
		}
		cmd := w.docker(ctx, "create", "--name", name, "--driver", "remote", addr)
		if out, err := cmd.CombinedOutput(); err != nil {
			return w, fmt.Errorf("make a builder: %w\n%s", err, out)
		}
	}
	return w, nil
}

// servePackages starts a mirror of one tiny package.
func (w *World) servePackages(ctx context.Context) error {
	files, err := debs.Source(ctx, debs.Package{Name: "tiny"})
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.packages = &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			dt, ok := files[r.URL.Path]
			if !ok {
				http.NotFound(w, r)
				return
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(dt))
		}),
	}
	go w.packages.Serve(ln) //nolint:errcheck // ends with Close
	w.mirror, err = startHarming(ln.Addr().String())
	return err
}

// jumping compiles a buildkitd whose clock can jump. The first time, that takes minutes; then Go has its packages.
func (w *World) jumping(ctx context.Context) (clock.Program, error) {
	module, err := tools.ModuleDir(ctx)
	if err != nil {
		return clock.Program{}, err
	}
	p, err := clock.Compile(ctx, w.builder.Dir, func(ctx context.Context, out string, flags ...string) error {
		return tools.BuildPinned(ctx, module, "buildkitd", out, flags...)
	})
	if err != nil {
		return p, fmt.Errorf("compile a buildkitd whose clock can jump: %w", err)
	}
	return p, nil
}

// Close ends what New started.
func (w *World) Close(ctx context.Context) error {
	var errs []error
	if w.packages != nil {
		errs = append(errs, w.packages.Close())
	}
	if w.names != nil {
		errs = append(errs, w.names.close())
	}
	for _, p := range []*harming{w.registry, w.feed, w.mirror} {
		if p != nil {
			errs = append(errs, p.Close())
		}
	}
	if w.builder != nil {
		errs = append(errs, w.builder.Stop(ctx))
	}
	return errors.Join(errs...)
}

// The builders of a world, as buildx knows them.
const (
	hurt   = "hurt"
	unhurt = "unhurt"
)

// docker is docker buildx with arguments.
func (w *World) docker(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, w.lab.Bin("docker"), append([]string{"buildx"}, args...)...)
	cmd.Dir = w.builder.Dir
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(os.Environ(), w.lab.Env()...)
	cmd.Env = append(cmd.Env, "BUILDX_CONFIG="+filepath.Join(w.builder.Dir, "buildx"), "BUILDKIT_PROGRESS=plain")
	return cmd
}

// build is a build of a folder that pushes an index to ref. All get one time, so that only a fault makes them differ.
func (w *World) build(ctx context.Context, builder string, f folder, ref string, args ...string) *exec.Cmd {
	return w.docker(ctx, append([]string{"build", "--builder", builder, "--provenance=false", "--platform", f.platforms,
		"--build-arg", "BUILDKIT_MULTI_PLATFORM=1", "--build-arg", "SOURCE_DATE_EPOCH=1700000000",
		"-f", filepath.Join(f.dir, "crosshull.yaml"), "-t", ref, "--push", f.dir}, args...)...)
}

// patience is for one build. A server that is slow makes one last for long, and none lasts longer.
const patience = 5 * time.Minute

// run runs a build on the hurt builder that may fail, and gives its output. begun is called when buildx runs; it may be
// nil.
func (w *World) run(ctx context.Context, a attempt, begun func(client *exec.Cmd)) (output string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := w.build(ctx, hurt, a.folder, a.ref, a.args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // docker starts buildx as a process of its own
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return "", err
	}
	if begun != nil {
		begun(cmd)
	}
	err = cmd.Wait()
	if ctx.Err() != nil {
		return "", fmt.Errorf("the build hangs: %w\n%s", ctx.Err(), &out)
	}
	return strings.TrimSpace(out.String()), err
}

// expect builds a folder on the builder that sees no fault, and gives the digest of the image.
func (w *World) expect(ctx context.Context, f folder) (digest.Digest, error) {
	name := w.name()
	if err := w.must(ctx, unhurt, f, w.lab.Registry()+"/"+name); err != nil {
		return "", fmt.Errorf("build without a fault: %w", err)
	}
	return w.tag(ctx, name)
}

func (w *World) must(ctx context.Context, builder string, f folder, ref string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if out, err := w.build(ctx, builder, f, ref, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// name gives a name in the registry that no other build has.
func (w *World) name() string {
	w.serial++
	return fmt.Sprintf("faults/%s-%d", filepath.Base(w.builder.Dir), w.serial)
}

// tag gives the digest of what tag latest of a name is in the registry; none if there is no such tag. An image that is
// not all there is an error.
func (w *World) tag(ctx context.Context, name string) (digest.Digest, error) {
	dt, err := w.get(ctx, name, "manifests/latest")
	if errors.Is(err, errNotThere) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var index ocispecs.Index
	if err := json.Unmarshal(dt, &index); err != nil || len(index.Manifests) == 0 {
		return "", fmt.Errorf("%s is no index: %w\n%s", name, err, dt)
	}
	for _, m := range index.Manifests {
		if err := w.whole(ctx, name, m.Digest); err != nil {
			return "", fmt.Errorf("%s is there, but not all of it: %w", name, err)
		}
	}
	return digest.FromBytes(dt), nil
}

// The image that the app runs on.
const (
	baseName = "dotnet/runtime"
	baseTag  = "10.0"
)

// base is the image that the app runs on, without a fault.
func (w *World) base() string { return w.lab.Registry() + "/" + baseName + ":" + baseTag }

// move gives the base a new tag and a new digest: /NAME:TAG.
func (w *World) move(ctx context.Context) (string, error) {
	dt, err := w.get(ctx, baseName, "manifests/"+baseTag)
	if err != nil {
		return "", err
	}
	var index ocispecs.Index
	if err := json.Unmarshal(dt, &index); err != nil {
		return "", err
	}
	w.serial++
	tag := fmt.Sprintf("%s-%d", filepath.Base(w.builder.Dir), w.serial)
	index.Annotations = map[string]string{"faults": tag}
	if dt, err = json.Marshal(index); err != nil {
		return "", err
	}
	url := "http://" + w.lab.Registry() + "/v2/" + baseName + "/manifests/" + tag
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(dt))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", index.MediaType)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close() //nolint:errcheck // nothing to be done about it
	if res.StatusCode != http.StatusCreated {
		return "", fmt.Errorf("PUT %s: %s", url, res.Status)
	}
	return "/" + baseName + ":" + tag, nil
}

// whole looks for all that a manifest names.
func (w *World) whole(ctx context.Context, name string, of digest.Digest) error {
	dt, err := w.get(ctx, name, "manifests/"+of.String())
	if err != nil {
		return err
	}
	var m ocispecs.Manifest
	if err := json.Unmarshal(dt, &m); err != nil {
		return err
	}
	for _, blob := range append(m.Layers, m.Config) {
		res, err := w.ask(ctx, http.MethodHead, name, "blobs/"+blob.Digest.String())
		if err != nil {
			return err
		}
		_ = res.Body.Close()
		if res.ContentLength != blob.Size { // its bytes are right: the registry compares them when they are sent
			return fmt.Errorf("blob %s has %d bytes, want %d", blob.Digest, res.ContentLength, blob.Size)
		}
	}
	return nil
}

var errNotThere = errors.New("not there")

// get reads from the registry.
func (w *World) get(ctx context.Context, name, path string) ([]byte, error) {
	res, err := w.ask(ctx, http.MethodGet, name, path)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // read only
	return io.ReadAll(res.Body)
}

// ask asks the registry itself, and not by a proxy.
func (w *World) ask(ctx context.Context, method, name, path string) (*http.Response, error) {
	url := "http://" + w.lab.Registry() + "/v2/" + name + "/" + path
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", ocispecs.MediaTypeImageIndex+","+ocispecs.MediaTypeImageManifest+
		",application/vnd.docker.distribution.manifest.list.v2+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	switch res.StatusCode {
	case http.StatusOK:
		return res, nil
	case http.StatusNotFound:
		err = errNotThere
	default:
		err = errors.New(res.Status)
	}
	return nil, errors.Join(fmt.Errorf("%s %s: %w", method, url, err), res.Body.Close())
}

// quiet waits until no container of the hurt builder is left.
func (w *World) quiet(ctx context.Context) error {
	const within = 20 * time.Second
	for began := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		left, err := w.builder.Containers(ctx)
		switch {
		case err != nil:
			return err
		case len(left) == 0:
			return nil
		case time.Since(began) > within:
			return fmt.Errorf("containers are left %s after the build: %v", within, left)
		}
	}
}
