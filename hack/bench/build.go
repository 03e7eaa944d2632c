package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// contestant is an entrant at work, in one round.
type contestant struct {
	recipe
	id      string // the name of what it has in the registry, the same in all rounds
	dir     string // its copy of the project
	edits   int    // of the app's line
	isBuilt bool
	images  map[string]image // of its last build
	rawjson []byte           // progress of its last build by BuildKit
}

func contestantID(x experiment, e entrant) string {
	return strings.ReplaceAll(
		fmt.Sprintf("%s-%s-%s-%d", x.project, x.mode, e.contender, len(e.platforms.list())),
		"+",
		"-",
	)
}

// newContestant writes a copy of a project that was never seen before.
func (r *runner) newContestant(x experiment, e entrant, dir string) (*contestant, error) {
	p, err := findProject(x.project)
	if err != nil {
		return nil, err
	}
	nonce := r.nonce()
	c := &contestant{
		recipe: recipe{project: p, mode: x.mode, contender: e.contender, platforms: e.platforms, cacheID: nonce},
		id:     contestantID(x, e),
	}
	if n := len(p.packages); n > 0 {
		c.packages = p.packages[:n-1]
	}
	// A name of its own: buildx takes folders of the same name for the same context, and BuildKit then sends what differs
	// in size or time alone. Contestants would replace each other's files, and now and then have one of another's.
	c.dir = filepath.Join(dir, c.id, c.id)
	if err := p.write(r.sources, c.dir); err != nil {
		return nil, fmt.Errorf("write %s: %w", x.project, err)
	}
	if err := p.stamp(c.dir, nonce); err != nil {
		return nil, err
	}
	return c, c.writeRecipe()
}

// writeRecipe writes what says how to build.
func (c *contestant) writeRecipe() error {
	if c.contender.onHost() {
		return nil
	}
	name, content := c.file()
	if err := writeFile(c.dir, name, content); err != nil || c.contender == crosshull {
		return err
	}
	return writeFile(c.dir, ".dockerignore", dockerignore)
}

// repository is where c pushes to, in the lab's registry.
func (r *runner) repository(c *contestant) string { return "bench/" + c.id }

// baseOf is the image that c builds on, as this machine gets it.
func (r *runner) baseOf(c *contestant) string {
	if c.base != "" {
		return c.base
	}
	return r.dotnetImage(c.baseRepository())
}

// dotnetImage is an image of Microsoft's, as this machine gets it.
func (r *runner) dotnetImage(repository string) string {
	if r.lab.LocalImages() {
		return r.lab.Registry() + "/dotnet/" + repository + ":" + dotnetTag
	}
	return dotnetImages + repository + ":" + dotnetTag
}

// docker is a command of the lab's docker; env is added to the lab's.
func (r *runner) docker(ctx context.Context, env []string, args ...string) *exec.Cmd {
	cmd := command(ctx, r.tmp, r.lab.Bin("docker"), args...)
	cmd.Env = append(append(os.Environ(), r.lab.Env()...), env...)
	return cmd
}

// run makes c do its work once. What it pushed is looked at, and checked the first time.
func (r *runner) run(ctx context.Context, c *contestant, env []string, args ...string) (Figures, error) {
	var f Figures
	var err error
	r.proxy.take()
	switch c.contender {
	case floor:
		err = r.runFloor(ctx, c, &f)
	case sdk:
		err = r.runSDK(ctx, c, &f)
	default:
		err = r.runBuild(ctx, c, &f, env, args)
	}
	if err != nil {
		return f, err
	}
	c.isBuilt = true
	if c.contender == floor {
		return f, nil
	}
	pushed := r.proxy.take()
	now, err := images(ctx, r.lab.Registry()+"/"+r.repository(c), r.baseOf(c))
	if err != nil {
		return f, err
	}
	f.compare(c.images, now, pushed)
	c.images = now
	if !r.verified[c.id] {
		if err := verify(now, c.platforms, c.project.wants); err != nil {
			return f, fmt.Errorf("%s did not make what was asked for: %w", c.id, err)
		}
		r.verified[c.id] = true
	}
	return f, nil
}

// runBuild is docker buildx build.
func (r *runner) runBuild(ctx context.Context, c *contestant, f *Figures, env, args []string) error {
	name, _ := c.file()
	args = append(
		[]string{"buildx", "build", "--progress=rawjson", "-f", filepath.Join(c.dir, name), "--platform", string(c.platforms),
			"-t", r.proxy.Addr + "/" + r.repository(c), "--push"},
		args...)
	cmd := r.docker(ctx, env, append(args, c.dir)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	var err error
	if f.Wall, f.CPU, err = timed(cmd.Run); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, readable(out.Bytes()))
	}
	c.rawjson = out.Bytes()
	t, err := parseTrace(c.rawjson)
	f.Steps, f.Execs, f.Frontend = t.steps, t.execs, t.frontend
	return err
}

func (r *runner) runSDK(ctx context.Context, c *contestant, f *Figures) error {
	return r.onHost(c, f, func() error { return r.host.publishContainer(ctx, c.recipe, c.dir, r.repository(c)) })
}

func (r *runner) runFloor(ctx context.Context, c *contestant, f *Figures) error {
	out := filepath.Join(filepath.Dir(c.dir), "out")
	if err := r.onHost(c, f, func() error { return r.host.floor(ctx, c.recipe, c.dir, out) }); err != nil {
		return err
	}
	for _, name := range c.project.wants {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			return fmt.Errorf("%s did not make what was asked for: %w", c.id, err)
		}
	}
	return nil
}

// onHost measures what the SDK does, between a clean start and the end of what it leaves running.
func (r *runner) onHost(c *contestant, f *Figures, work func() error) (err error) {
	if err := r.host.prepare(c.dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.host.stopServers()) }()
	f.Wall, f.CPU, err = timed(work)
	return err
}
