package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/crosshull/crosshull/hack/lab"
	"github.com/crosshull/crosshull/hack/lab/tools"
)

// Config is what of the plan is to be run.
type Config struct {
	Rounds int
	Filter Filter
	Traces string // folder for the progress of every build that is measured, as buildx's rawjson has it; "" for none
}

// Run does what c asks for, and says on progress what it does. It brings the lab up, which is left so. With an error
// comes a report of the experiments that had ended before it, unless there are none.
func Run(ctx context.Context, l *lab.Lab, c Config, progress io.Writer) (*Report, error) {
	todo := c.Filter.apply(plan)
	if len(todo) == 0 {
		return nil, errors.New("nothing of the plan matches")
	}
	if err := l.Up(ctx, progress); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := l.PushFrontend(ctx, &out); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, &out)
	}
	r, err := newRunner(ctx, l, todo, progress)
	if err != nil {
		return nil, err
	}
	defer r.close()
	r.traces = c.Traces
	m, err := r.machine(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.warmUp(ctx, todo); err != nil {
		return nil, fmt.Errorf("warm up: %w", err)
	}
	report := &Report{Machine: m, Rounds: c.Rounds, Results: []Result{}} // JSON has an array in any case
	for _, x := range todo {
		all, err := r.experiment(ctx, x, c.Rounds)
		if err != nil {
			return report, err
		}
		report.add(x, c.Filter, all)
	}
	return report, nil
}

// runner has what runs share.
type runner struct {
	lab      *lab.Lab
	tmp      string
	sources  sources
	proxy    *counting
	host     *host // nil if nothing is run on the host
	traces   string
	progress io.Writer
	began    time.Time
	serial   int
	verified map[string]bool // by id of a contestant
}

func newRunner(ctx context.Context, l *lab.Lab, todo []experiment, progress io.Writer) (_ *runner, err error) {
	moduleDir, err := tools.ModuleDir(ctx)
	if err != nil {
		return nil, err
	}
	r := &runner{lab: l, progress: progress, began: time.Now(), verified: map[string]bool{}}
	r.sources.examples = filepath.Join(filepath.Dir(moduleDir), "examples")
	if r.tmp, err = os.MkdirTemp("", "crosshull-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.proxy, err = startCounting(l.Registry()); err != nil {
		return nil, err
	}
	for _, x := range todo {
		if x.project == aspnetapp && r.sources.wwwroot == "" {
			if r.sources.wwwroot, err = installWWWRoot(ctx, filepath.Join(l.Dir(), "bench"), progress); err != nil {
				return nil, err
			}
		}
		for _, e := range x.entrants {
			if e.contender.onHost() && r.host == nil {
				if r.host, err = newHost(l, filepath.Join(r.tmp, "host"), r.proxy.Addr); err != nil {
					return nil, err
				}
			}
			if e.contender == syntax {
				if err = l.PushDockerfileFrontend(ctx); err != nil {
					return nil, err
				}
			}
		}
	}
	return r, nil
}

func (r *runner) close() {
	if r.proxy != nil {
		_ = r.proxy.Close()
	}
	_ = os.RemoveAll(r.tmp)
}

func (r *runner) say(format string, args ...any) {
	_, _ = fmt.Fprintf(r.progress, "%7.0fs %s\n", time.Since(r.began).Seconds(), fmt.Sprintf(format, args...))
}

// nonce gives a text that nobody has seen before, always as long.
func (r *runner) nonce() string {
	r.serial++
	return fmt.Sprintf("%016x%04x", time.Now().UnixNano(), r.serial)
}

// warmUp makes the builder have the images of SDK and bases, unpacked; every repository the layers of its base; and the
// machine's memory the files of the SDK, by building the first project once.
func (r *runner) warmUp(ctx context.Context, todo []experiment) error {
	r.say("warming up")
	if err := r.unpackSDK(ctx, nil); err != nil {
		return err
	}
	unpacked := map[string]bool{}
	for _, x := range todo {
		p, err := findProject(x.project)
		if err != nil {
			return err
		}
		for _, e := range x.entrants {
			c := &contestant{recipe: recipe{project: p, mode: x.mode}, id: contestantID(x, e)}
			if e.contender == floor {
				continue
			}
			base := c.baseRepository()
			if !unpacked[base] {
				if err := r.buildText(ctx, nil, three, "FROM "+dotnetImages+base+":"+dotnetTag+"\nWORKDIR /app\n"); err != nil {
					return err
				}
				unpacked[base] = true
			}
			if err := copyImages(ctx, r.dotnetImage(base), r.lab.Registry()+"/"+r.repository(c)+":base"); err != nil {
				return err
			}
		}
	}
	for _, e := range []entrant{{contender: crosshull, platforms: one}, {contender: floor, platforms: one}} {
		if e.contender.onHost() && r.host == nil {
			continue
		}
		c, err := r.newContestant(todo[0], e, filepath.Join(r.tmp, "warm-up"))
		if err != nil {
			return err
		}
		if _, err := r.run(ctx, c, nil); err != nil {
			return err
		}
	}
	return nil
}

// samples are the figures of an experiment's entrants, by their number and the situation, in the order of the rounds.
type samples []map[situation][]Figures

func (r *runner) experiment(ctx context.Context, x experiment, rounds int) (samples, error) {
	all := make(samples, len(x.entrants))
	for i := range all {
		all[i] = map[situation][]Figures{}
	}
	for round := range rounds {
		if err := r.round(ctx, x, round, all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// round runs every entrant once in every situation that it takes part in.
func (r *runner) round(ctx context.Context, x experiment, round int, all samples) error {
	dir := filepath.Join(r.tmp, strconv.Itoa(r.serial))
	defer func() { _ = os.RemoveAll(dir) }()
	contestants := make([]*contestant, len(x.entrants))
	for i, e := range x.entrants {
		var err error
		if contestants[i], err = r.newContestant(x, e, dir); err != nil {
			return err
		}
	}
	for _, s := range situations {
		var order []int
		for i, e := range x.entrants {
			if e.takesPart(s) {
				order = append(order, i)
			}
		}
		for _, i := range order {
			if err := r.prepare(ctx, contestants[i], s); err != nil {
				return err
			}
		}
		for n := range s.repeats() {
			for _, i := range rotate(order, round+n) {
				f, err := r.measure(ctx, contestants[i], s)
				if err != nil {
					return err
				}
				r.say(
					"%s, round %d: %s, %s: %.2f s",
					x.caseName(x.entrants[i].platforms),
					round+1,
					s,
					x.entrants[i].contender,
					f.Wall,
				)
				all[i][s] = append(all[i][s], f)
				if err := r.keepTrace(contestants[i],
					fmt.Sprintf("%s-%d", strings.ReplaceAll(string(s), " ", "-"), len(all[i][s]))); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// keepTrace writes down what the last build of c did, if that is wanted.
func (r *runner) keepTrace(c *contestant, when string) error {
	if r.traces == "" || c.rawjson == nil {
		return nil
	}
	return writeFile(r.traces, c.id+"-"+when+".rawjson", string(c.rawjson))
}

// rotate begins a list with its nth element.
func rotate(list []int, n int) []int {
	if len(list) == 0 {
		return nil
	}
	n %= len(list)
	return append(append([]int{}, list[n:]...), list[:n]...)
}

// prepare brings c to where the situation begins. What it builds is not measured.
func (r *runner) prepare(ctx context.Context, c *contestant, s situation) error {
	if s == cold {
		return nil
	}
	if !c.isBuilt {
		if _, err := r.run(ctx, c, nil); err != nil {
			return err
		}
	}
	switch s {
	case edit:
		return c.edit()
	case deep:
		return c.project.deep.change(c.dir, 1)
	case pack:
		return c.project.pack.change(c.dir, 1)
	case osPack:
		c.packages = c.project.packages
		return c.writeRecipe()
	case rebase:
		return r.prepareBase(ctx, c)
	case fresh:
		if _, err := r.run(ctx, c, nil, "--cache-to", r.cacheTo(c)); err != nil {
			return err
		}
		return c.edit()
	}
	return nil
}

// edit changes the app's line.
func (c *contestant) edit() error {
	c.edits++
	return c.project.app.change(c.dir, c.edits)
}

// prepareBase makes c build on a base of its own, and moves that.
func (r *runner) prepareBase(ctx context.Context, c *contestant) error {
	from := r.baseOf(c)
	c.base = r.lab.Registry() + "/bench/base-" + c.id + ":10.0-noble"
	if err := moveBase(ctx, from, c.base, r.nonce()); err != nil {
		return err
	}
	if err := c.writeRecipe(); err != nil {
		return err
	}
	if _, err := r.run(ctx, c, nil); err != nil {
		return err
	}
	return moveBase(ctx, from, c.base, r.nonce())
}

func (r *runner) cacheRef(c *contestant) string { return r.lab.Registry() + "/bench/cache-" + c.id }

func (r *runner) cacheTo(c *contestant) string {
	return "type=registry,mode=max,ref=" + r.cacheRef(c)
}

// measure does what is measured of a situation. An edit that did not reach the image is an error.
func (r *runner) measure(ctx context.Context, c *contestant, s situation) (f Figures, err error) {
	switch {
	case s == fresh:
		err = r.onFreshBuilder(ctx, func(env []string) error {
			f, err = r.run(ctx, c, env, "--cache-from", "type=registry,ref="+r.cacheRef(c), "--cache-to", r.cacheTo(c))
			return err
		})
		if err == nil {
			f.Cache, err = cacheSize(ctx, r.cacheRef(c))
		}
	case s == cold && !c.contender.onHost():
		// What has the same content in every round, such as a layer of packages, is made again too.
		f, err = r.run(ctx, c, nil, "--no-cache")
	case s == osPack:
		// Packages are the same for all contestants, and in each round.
		f, err = r.run(ctx, c, nil, "--no-cache-filter", c.packagesStage())
	default:
		f, err = r.run(ctx, c, nil)
	}
	if err == nil && (s == edit || s == deep || s == pack || s == osPack || s == fresh) && f.ChangedLayers == 0 {
		err = fmt.Errorf("%s, %s: no layer changed", c.id, s)
	}
	return f, err
}
