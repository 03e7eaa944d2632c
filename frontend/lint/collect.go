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
	for _, r := range slices.Concat(apps, tests) {
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
	if req.Spec.None() {
		return inspectNone(ctx, req, asker)
	}
	questions, target, err := asker.Questions()
	if err != nil {
		return check.App{}, err
	}
	descs, _, err := asker.Ask(ctx, questions)
	if err != nil {
		return check.App{}, err
	}
	app, err := asker.Choose(questions[target], descs[target])
	if tests := namedTests(req, err); len(tests) > 0 {
		return check.App{Prefix: req.Target.Prefix, Spec: &req.Spec.App, Tests: tests}, nil
	}
	if err == nil && len(req.Spec.Publish.Also) > 0 {
		_, err = asker.Apps(ctx) // an error if a further project is no app, or in the way of another
	}
	if err != nil {
		return check.App{}, err
	}
	bases, lacks, err := findBases(ctx, req, app)
	if err != nil {
		return check.App{}, err
	}
	linker, libc, err := findToolchain(ctx, req, asker, app, bases)
	if err != nil {
		return check.App{}, err
	}
	rids, err := rids(req, libc)
	if err != nil {
		return check.App{}, err
	}
	for _, rid := range rids {
		if err := asker.CheckPlatformTarget(app, rid, "project"); err != nil {
			return check.App{}, err
		}
	}
	images, err := configure(ctx, req, app, bases)
	return check.App{
		Prefix: req.Target.Prefix, Spec: &req.Spec.App, Project: app, Tools: tools(asker), SDK: image(asker.SDK.Image),
		Toolchain: image(linker), Base: baseOf(app, bases), Lacks: lacks, RIDs: rids, Images: images,
	}, err
}

// inspectNone collects the facts about an image of files alone.
func inspectNone(ctx context.Context, req *request.Request, asker *facts.Asker) (check.App, error) {
	f, err := asker.Apps(ctx)
	if err != nil {
		return check.App{}, err
	}
	bases, lacks, err := findBases(ctx, req, f.App)
	if err != nil {
		return check.App{}, err
	}
	images, err := configure(ctx, req, f.App, bases)
	return check.App{
		Prefix: req.Target.Prefix, Spec: &req.Spec.App, Project: f.App, Tools: tools(asker), SDK: image(asker.SDK.Image),
		Base: baseOf(f.App, bases), Lacks: lacks, Images: images,
	}, err
}

// findToolchain resolves the image that links an app, if one does, and gives the C library of the base. Only AOT has to
// know that, for which a base may have to be pulled.
func findToolchain(
	ctx context.Context, req *request.Request, asker *facts.Asker, app *dotnet.App, bases []base,
) (*gateway.Image, dotnet.Libc, error) {
	if !app.Mode.NeedsToolchain() || len(bases) == 0 {
		return nil, dotnet.Glibc, nil
	}
	ref, err := plan.ToolchainRef(req, asker.SDK, app)
	if err != nil {
		return nil, dotnet.Glibc, err
	}
	linker, err := plan.ResolveToolchain(ctx, req, ref)
	if err != nil {
		return nil, dotnet.Glibc, err
	}
	libc, err := plan.Libc(ctx, req, bases[0].Image, app.BaseImage)
	return linker, libc, err
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

// baseOf gives the facts about the base of an app.
func baseOf(app *dotnet.App, bases []base) check.Image {
	if len(bases) == 0 {
		return check.Image{Name: app.BaseImage}
	}
	return check.Image{Name: app.BaseImage, Replaced: image(bases[0].Image).Replaced}
}

// findBases resolves the base for each platform that it has.
func findBases(
	ctx context.Context, req *request.Request, app *dotnet.App,
) (bases []base, lacks check.Lacks, err error) {
	gw := req.Gateway
	gw.AskAhead(app.BaseImage, gw.Targets())
	for _, p := range gw.Targets() {
		img, err := gw.Base(ctx, app.BaseImage, p)
		if err == nil {
			bases = append(bases, base{img, p})
			continue
		}
		if gateway.NoSuchPlatform(err) {
			lacks.Has = gw.Available(ctx, app.BaseImage, dotnet.Platforms())
		}
		if len(lacks.Has) == 0 {
			return nil, lacks, req.At(req.BaseKey(), fmt.Errorf("base image: %w", err))
		}
		lacks.Missing = append(lacks.Missing, platforms.Format(p))
	}
	return bases, lacks, nil
}

// configure gives the images of an app on bases.
func configure(
	ctx context.Context, req *request.Request, app *dotnet.App, bases []base,
) (images []check.Configured, err error) {
	for _, base := range bases {
		s, err := req.SpecFor(base.platform)
		if err != nil {
			return nil, err
		}
		if err := plan.CheckApt(req, base.Image, s, base.platform); err != nil {
			return nil, err
		}
		config, err := xllb.Config(xllb.ConfigOpt{
			App: app, Spec: s.Image, Base: xllb.Base{Name: base.Name, Config: base.Config},
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", app.Path, err)
		}
		img := configured(base.Image, config)
		if len(s.Image.Users)+len(s.Image.Groups) > 0 { // else the base need not be pulled
			users, err := plan.Users(ctx, req, base.Image, s, config)
			switch {
			case err == nil:
				img.Present = users.Present
			case plan.Installs(s, base.platform) && errors.As(err, new(*accounts.Error)):
				// the packages may bring what is missing, and are not installed for this
			default:
				return nil, err
			}
		}
		images = append(images, img)
	}
	return images, nil
}

func configured(base *gateway.Image, config *xllb.Configuration) check.Configured {
	c := check.Configured{Image: config.Image.Config}
	if base.Config != nil {
		c.Base = base.Config.Config
	}
	return c
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
	base := check.Image{Name: p.App.BaseImage}
	var rids []string
	var images []check.Configured
	for _, t := range p.Targets {
		rids = append(rids, t.RID)
		if t.Config != nil { // nil: files without an image
			base.Replaced = image(t.Base.Image).Replaced
			images = append(images, configured(t.Base.Image, t.Config))
		}
	}
	f := newFacts(p.Request)
	add(f, p.Asker)
	f.Apps = []check.App{{
		Prefix: p.Request.Target.Prefix, Spec: &p.Request.Spec.App, Project: p.App, Tools: tools(p.Asker),
		SDK: image(p.SDK.Image), Toolchain: image(p.Toolchain), Base: base, RIDs: rids, Images: images,
	}}
	return f
}
