package lint

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/check"
	"github.com/crosshull/crosshull/frontend/facts"
	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/frontend/tree"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/accounts"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// collect gives the facts for the rules: about all apps, or the target. With an error, it gives what it knows so far.
func collect(ctx context.Context, req *request.Request) (*check.Facts, error) {
	f := newFacts(req)
	f.Asked = true
	apps, tests, err := subjects(req)
	if err != nil {
		return f, err
	}
	for _, r := range append(slices.Clone(apps), tests...) {
		if err := r.Check(); err != nil {
			return f, err
		}
	}
	t, err := tree.Read(ctx, req)
	if err != nil {
		return f, err
	}
	for _, app := range apps {
		asker, err := facts.New(ctx, app, t)
		if err != nil {
			return f, err
		}
		add(f, asker)
		a, err := inspect(ctx, app, asker)
		if err != nil {
			return f, err
		}
		f.Apps = append(f.Apps, a)
	}
	for _, r := range tests { // an error if a project is no test
		asker, err := facts.New(ctx, r, t)
		if err != nil {
			return f, err
		}
		if _, err := asker.Tests(ctx); err != nil {
			return f, err
		}
	}
	return f, nil
}

// subjects gives the apps to check, and the tests: one request at most.
func subjects(req *request.Request) (apps, tests []*request.Request, err error) {
	target := req.Gateway.Target
	if target == spec.TargetTest {
		chosen, err := req.Choose()
		return nil, []*request.Request{chosen}, err
	}
	if target == "" && len(req.Spec.Tests.Projects) > 0 {
		tests = append(tests, req.ForTests())
	}
	apps, err = req.EachApp()
	return apps, tests, err
}

// newFacts gives the facts about the spec alone.
func newFacts(req *request.Request) *check.Facts {
	f := &check.Facts{Spec: req.Spec, Frontend: req.Frontend(), Files: dotnet.Files{}, Now: time.Now()}
	if req.Source != nil {
		f.Source, f.Written = check.Source{Name: req.Source.Filename, Data: req.Source.Data}, req.Written
	}
	return f
}

// add adds the facts about a context.
func add(f *check.Facts, asker *facts.Asker) {
	maps.Copy(f.Files, asker.Tree.Files)
	f.Links, f.Settings, f.BuildRID = asker.Tree.Links, asker.Tree.Settings, asker.Steps.BuildRID
}

// inspect collects the facts about an app that a build knows before it restores.
func inspect(ctx context.Context, req *request.Request, asker *facts.Asker) (check.App, error) {
	a := check.App{Prefix: req.Target.Prefix, Spec: &req.Spec.App, SDK: image(asker.SDK.Image), Tools: tools(asker)}
	if req.Spec.None() {
		err := inspectNone(ctx, req, asker, &a)
		return a, err
	}
	questions, target, err := asker.Questions()
	if err != nil {
		return a, err
	}
	descs, _, err := asker.Ask(ctx, questions)
	if err != nil {
		return a, err
	}
	app, err := asker.Choose(questions[target], descs[target])
	if a.Tests = namedTests(req, err); len(a.Tests) > 0 {
		return a, nil
	}
	if err == nil && len(req.Spec.Publish.Also) > 0 {
		_, err = asker.Apps(ctx) // an error if a further project is no app, or in the way of another
	}
	if err != nil {
		return a, err
	}
	bases, err := findBases(ctx, req, app, &a)
	if err != nil {
		return a, err
	}
	// Only AOT has to know the C library, for which a base may have to be pulled.
	if a.RIDs, err = rids(req, dotnet.Glibc); err != nil {
		return a, err
	}
	for _, rid := range a.RIDs {
		if err := asker.CheckPlatformTarget(app, rid, "project"); err != nil {
			return a, err
		}
	}
	if err := configure(ctx, req, &a, app, bases); err != nil {
		return a, err
	}
	if !app.Mode.NeedsToolchain() || len(bases) == 0 {
		return a, nil
	}
	ref, err := plan.ToolchainRef(req, asker.SDK, app)
	if err != nil {
		return a, err
	}
	linker, err := plan.ResolveToolchain(ctx, req, ref)
	if err != nil {
		return a, err
	}
	a.Toolchain = image(linker)
	libc, err := plan.Libc(ctx, req, bases[0].Image, app.BaseImage)
	if err != nil {
		return a, err
	}
	a.RIDs, err = rids(req, libc)
	return a, err
}

// inspectNone collects the facts about an image of files alone.
func inspectNone(ctx context.Context, req *request.Request, asker *facts.Asker, a *check.App) error {
	f, err := asker.Apps(ctx)
	if err != nil {
		return err
	}
	bases, err := findBases(ctx, req, f.App, a)
	if err != nil {
		return err
	}
	return configure(ctx, req, a, f.App, bases)
}

// rids are the runtime identifiers of the platforms with a C library.
func rids(req *request.Request, libc dotnet.Libc) ([]string, error) {
	var all []string
	for _, p := range req.Gateway.Targets() {
		rid, err := dotnet.RID(p, libc)
		if err != nil {
			return nil, err
		}
		all = append(all, rid)
	}
	return all, nil
}

// namedTests are the test projects that the spec names as an app. err is the error about that.
func namedTests(req *request.Request, err error) []string {
	nothing := (*dotnet.NothingError)(nil)
	if !errors.As(err, &nothing) || !req.Spec.Has(req.Target.Prefix+"project") {
		return nil
	}
	var tests []string
	for _, c := range nothing.Candidates {
		if c.Kind == "test" {
			tests = append(tests, c.Path)
		}
	}
	return tests
}

// base is a base image for a platform.
type base struct {
	*gateway.Image
	platform ocispecs.Platform
}

// findBases resolves the base for each platform, and notes the platforms that it lacks.
func findBases(
	ctx context.Context, req *request.Request, app *dotnet.App, a *check.App,
) ([]base, error) {
	gw := req.Gateway
	gw.AskAhead(app.BaseImage, gw.Targets())
	var bases []base
	for _, p := range gw.Targets() {
		img, err := gw.Base(ctx, app.BaseImage, p)
		if err == nil {
			bases = append(bases, base{img, p})
			continue
		}
		if gateway.NoSuchPlatform(err) {
			a.Has = gw.Available(ctx, app.BaseImage, dotnet.Platforms())
		}
		if len(a.Has) == 0 {
			return nil, req.At(req.BaseKey(), fmt.Errorf("base image: %w", err))
		}
		a.Missing = append(a.Missing, platforms.Format(p))
	}
	return bases, nil
}

// configure adds the facts of the app, and of its images on bases.
func configure(ctx context.Context, req *request.Request, a *check.App, app *dotnet.App, bases []base) error {
	a.Project, a.Base.Name = app, app.BaseImage
	for _, base := range bases {
		s, err := req.SpecFor(base.platform)
		if err != nil {
			return err
		}
		if err := plan.CheckApt(req, base.Image, s, base.platform); err != nil {
			return err
		}
		config, err := xllb.Config(xllb.ConfigOpt{
			App: app, Spec: s.Image, Base: xllb.Base{Name: base.Name, Config: base.Config},
		})
		if err != nil {
			return fmt.Errorf("%s: %w", app.Path, err)
		}
		addImage(a, base.Image, config)
		if len(s.Image.Users)+len(s.Image.Groups) == 0 {
			continue // the base need not be pulled
		}
		users, err := plan.Users(ctx, req, base.Image, s, config)
		if plan.Installs(s, base.platform) && errors.As(err, new(*accounts.Error)) {
			continue // the packages may bring what is missing, and are not installed for this
		}
		if err != nil {
			return err
		}
		a.Images[len(a.Images)-1].Present = users.Present
	}
	return nil
}

func addImage(a *check.App, base *gateway.Image, config *xllb.Configuration) {
	a.Base.Replaced = image(base).Replaced
	c := check.Configured{Image: config.Image.Config}
	if base.Config != nil {
		c.Base = base.Config.Config
	}
	a.Images = append(a.Images, c)
}

// image gives the facts about an image.
func image(img *gateway.Image) check.Image {
	if img == nil {
		return check.Image{}
	}
	return check.Image{Name: img.Name, Replaced: img.Pinned == nil}
}

// tools are the images with tools for commands.
func tools(asker *facts.Asker) []check.Image {
	var all []check.Image
	for _, t := range asker.Tools {
		all = append(all, image(t.Image))
	}
	return all
}

// planned gives the facts for the rules in a build.
func planned(p *plan.Plan) *check.Facts {
	a := check.App{
		Prefix: p.Request.Target.Prefix, Spec: &p.Request.Spec.App, SDK: image(p.SDK.Image), Tools: tools(p.Asker),
	}
	if p.Toolchain != nil {
		a.Toolchain = image(p.Toolchain)
	}
	a.Project, a.Base.Name = p.App, p.App.BaseImage
	for _, t := range p.Targets {
		a.RIDs = append(a.RIDs, t.RID)
		if t.Config != nil { // nil: files without an image
			addImage(&a, t.Base.Image, t.Config)
		}
	}
	f := newFacts(p.Request)
	add(f, p.Asker)
	f.Apps = []check.App{a}
	return f
}
