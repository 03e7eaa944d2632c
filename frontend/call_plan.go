package frontend

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/plan"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// known is all that is known of an app before anything is restored.
type known struct {
	*build
	configs []*xllb.Configuration // by target
}

// learn asks MSBuild and the registry about an app, and runs nothing else.
func (e *entrypoint) learn(ctx context.Context) (*known, error) {
	b, err := newBuild(ctx, e)
	if err != nil {
		return nil, err
	}
	b.dry = true
	if err := b.describeApps(ctx); err != nil {
		return nil, err
	}
	if err := b.resolveBase(ctx); err != nil {
		return nil, err
	}
	if err := b.toolchain(ctx); err != nil {
		return nil, err
	}
	vcs, err := b.vcs(ctx)
	if err != nil {
		return nil, err
	}
	k := &known{build: b}
	for i := range b.targets {
		config, err := b.config(i, vcs)
		if err != nil {
			return nil, err
		}
		k.configs = append(k.configs, config)
	}
	return k, nil
}

// learnAll is learn for the apps that a call is about.
func (e *entrypoint) learnAll(ctx context.Context) ([]*known, error) {
	apps, err := e.eachApp()
	if err != nil {
		return nil, err
	}
	var all []*known
	for _, app := range apps {
		k, err := app.learn(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

// text is what a value writes for people.
func text(write func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	err := write(&b)
	return b.Bytes(), err
}

// showPlan answers --call=plan.
func showPlan(ctx context.Context, e *entrypoint) (*answer, error) {
	all, err := e.learnAll(ctx)
	if err != nil {
		return nil, err
	}
	p := &plan.Plan{Arguments: e.arguments(), Secrets: e.secrets(), Tests: e.spec.Tests.Projects, Gated: e.spec.Tests.Gate}
	for _, k := range all {
		p.Apps = append(p.Apps, k.plan())
	}
	dt, err := text(p.WriteText)
	if err != nil {
		return nil, err
	}
	return marshalAnswer(dt, p)
}

func (k *known) plan() plan.App {
	app := k.planApp()
	for i := range k.targets {
		app.Images = append(app.Images, k.target(i, k.configs[i], k.plannedLayers()))
	}
	return app
}

// target is the image for a platform.
func (b *build) target(i int, config *xllb.Configuration, layers []plan.Layer) plan.Target {
	platform := platforms.Format(platforms.Normalize(b.targets[i]))
	c := config.Image.Config
	t := plan.Target{
		Platform: platform, RID: b.rids[i], Base: planned(b.base.images[i], platform),
		Entrypoint: c.Entrypoint, Args: c.Cmd, User: c.User, WorkingDir: c.WorkingDir,
		Ports: slices.Sorted(maps.Keys(c.ExposedPorts)), Layers: layers,
	}
	t.Base.Manifest = b.base.manifests[i].String()
	return t
}

// planApp is the app without its images.
func (b *build) planApp() plan.App {
	app := plan.App{
		Name: b.appName, Project: b.app.Path, Framework: b.app.TargetFramework, Mode: b.app.Mode.String(),
		Configuration: b.graph.Project.Configuration,
		SDK:           planned(b.sdkImage, platforms.Format(b.bc.BuildPlatforms[0])),
		Projects:      dotnet.ProjectPaths(b.app.Closure),
	}
	app.SDK.Version = version(b.sdkImage)
	if b.toolchainImage != nil {
		toolchain := planned(b.toolchainImage, app.SDK.Platform)
		app.Toolchain = &toolchain
	}
	for _, s := range dotnet.Slices(b.group(b.app)) {
		if s.Uses(b.app) {
			app.Slices = append(app.Slices, dotnet.ProjectPaths(s.Projects))
		}
	}
	return app
}

func planned(img *image, platform string) plan.Image {
	p := plan.Image{Reference: img.name, Platform: platform}
	if img.pinned != nil {
		p.Digest = img.pinned.Digest().String()
	}
	return p
}

// plannedLayers are the layers that an image of the app can have. What is published says which of them there are.
func (k *known) plannedLayers() []plan.Layer {
	shared := !k.app.Mode.PerPlatform()
	var layers []plan.Layer
	for _, name := range dotnet.Layers {
		l := plan.Layer{Name: name, Shared: shared && name != dotnet.LayerRuntimes}
		switch name {
		case dotnet.LayerPackages, dotnet.LayerPrerelease, dotnet.LayerRuntimes:
			if !dotnet.NamesPackages(k.app, k.projectFiles) {
				continue
			}
		case dotnet.LayerProjects:
			if len(k.app.Closure) == 1 {
				continue
			}
		case dotnet.LayerAssets:
			if !k.graph.Assets.Has(k.app) {
				continue
			}
			l.Shared = shared || k.graph.Assets.Compression(k.app) == dotnet.CompressBeside
		case dotnet.LayerLauncher:
			if !k.app.Mode.Launchers() {
				continue
			}
			l.Shared = false
		case dotnet.LayerApp:
			if len(k.spec.Files) > 0 {
				layers = append(layers, plan.Layer{Name: "files", Shared: true})
			}
		}
		layers = append(layers, l)
	}
	return layers
}

// explainValues answers --call=explain.
func explainValues(ctx context.Context, e *entrypoint) (*answer, error) {
	all, err := e.learnAll(ctx)
	if err != nil {
		return nil, err
	}
	explanation := &plan.Explanation{}
	for _, k := range all {
		explanation.Apps = append(explanation.Apps, plan.Explained{Name: k.appName, Values: k.explain()})
	}
	dt, err := text(explanation.WriteText)
	if err != nil {
		return nil, err
	}
	return marshalAnswer(dt, explanation)
}

// Who decides a value, as --call=explain says it.
const (
	bySpec      = "spec"
	byProject   = "project"
	bySDK       = "SDK"
	byBase      = "base"
	byArgument  = "build argument"
	byBuildx    = "buildx"
	byCrosshull = "crosshull"
)

// explain lists the values of the build, and then those of the images.
func (k *known) explain() []plan.Value {
	var values []plan.Value
	add := func(key, value, from, at string) {
		values = append(values, plan.Value{Key: key, Value: value, From: from, At: at})
	}
	for _, a := range k.arguments() {
		from, at := byArgument, "--build-arg"
		if !a.Given {
			from, at = bySpec, k.line("args."+a.Name)
		}
		add("args."+a.Name, a.Value, from, at)
	}
	// orProject is for what the spec, or a property of the project, or somebody else decides.
	orProject := func(key, value, property, from, at string) {
		switch file := k.property(property); {
		case k.has(key):
			add(key, value, bySpec, k.line(key))
		case file != "":
			add(key, value, byProject, file+" ("+property+")")
		default:
			add(key, value, from, at)
		}
	}
	orProject("project", k.app.Path, "", byCrosshull, "the only app that there is")
	orProject("framework", k.app.TargetFramework, "TargetFramework", byProject, "the only one that it has")
	orProject("publish.mode", k.app.Mode.String(), k.modeProperty(), byCrosshull, "no property of the project asks for another")
	orProject("publish.configuration", k.graph.Project.Configuration, "", byCrosshull, "what images are made of")
	for _, name := range sortedKeys(k.graph.Project.Properties) {
		add("publish.properties."+name, k.graph.Project.Properties[name], bySpec, k.line("publish.properties."+name))
	}
	values = append(values, k.explainSDK())
	if k.toolchainImage != nil {
		orProject("sdk.toolchain", pinned(k.toolchainImage), "", byCrosshull, "the variant of the SDK that has a linker")
	}
	switch {
	case k.has("base.family"):
		add("base.image", pinned(k.base.images[0]), bySpec, k.line("base.family"))
	case k.has("base.image"):
		add("base.image", pinned(k.base.images[0]), bySpec, k.line("base.image"))
	case k.property("ContainerFamily") != "" && k.property("ContainerBaseImage") == "":
		orProject("base.image", pinned(k.base.images[0]), "ContainerFamily", bySDK, "")
	default:
		orProject("base.image", pinned(k.base.images[0]), "ContainerBaseImage", bySDK, "inferred from TargetFramework, SDK and mode")
	}
	if k.epoch != nil {
		add("SOURCE_DATE_EPOCH", fmt.Sprint(k.epoch.Unix()), byArgument, k.bc.BuildArgs["SOURCE_DATE_EPOCH"])
	}
	names := make([]string, len(k.targets))
	images := make([][]plan.Value, len(k.targets))
	for i, p := range k.targets {
		names[i], images[i] = platforms.Format(platforms.Normalize(p)), k.explainImage(k.configs[i])
	}
	return append(values, plan.Merge(names, images)...)
}

// explainSDK says why the SDK is what it is.
func (k *known) explainSDK() plan.Value {
	v := plan.Value{Key: "sdk.image", Value: pinned(k.sdkImage)}
	switch {
	case k.has("sdk.image"):
		v.From, v.At = bySpec, k.line("sdk.image")
	case k.has("sdk.version"):
		v.From, v.At = bySpec, k.line("sdk.version")
	case k.pin != nil:
		v.From, v.At = byProject, fmt.Sprintf("%s:%d", k.pin.name, max(k.pin.Line, 1))
	default:
		v.From, v.At = byCrosshull, "at least "+dotnet.DefaultSDK+", or what the newest TargetFramework needs"
	}
	return v
}

// properties are those of a project by which it decides a value of the image.
var properties = map[string]string{
	"user": "ContainerUser", "workdir": "ContainerWorkingDirectory", "entrypoint": "ContainerEntrypoint", "args": "ContainerDefaultArgs", "ports": "ContainerPort",
}

// explainImage says who decided the values of an image.
func (k *known) explainImage(config *xllb.Configuration) []plan.Value {
	var values []plan.Value
	add := func(key, value string) {
		if value == "" {
			return
		}
		v := plan.Value{Key: "image." + key, Value: value}
		switch config.Origins[key] {
		case xllb.FromFlag:
			v.From, v.At = byBuildx, "--label"
		case xllb.FromSpec:
			v.From, v.At = bySpec, k.line("image."+key)
		case xllb.FromProject:
			v.From, v.At = bySDK, "for the project"
			property := properties[key]
			if kind, _, ok := strings.Cut(key, "."); ok {
				property = map[string]string{"env": "ContainerEnvironmentVariable", "labels": "ContainerLabel"}[kind]
				property += `" Include="` + strings.TrimPrefix(key, kind+".")
			}
			if file := k.property(property); file != "" {
				v.From, v.At = byProject, file
			}
		case xllb.FromBase:
			v.From = byBase
		}
		values = append(values, v)
	}
	img := config.Image
	add("entrypoint", strings.Join(img.Config.Entrypoint, " "))
	add("args", strings.Join(img.Config.Cmd, " "))
	add("user", img.Config.User)
	add("workdir", img.Config.WorkingDir)
	add("ports", strings.Join(slices.Sorted(maps.Keys(img.Config.ExposedPorts)), " "))
	add("volumes", strings.Join(slices.Sorted(maps.Keys(img.Config.Volumes)), " "))
	add("stop-signal", img.Config.StopSignal)
	add("healthcheck", healthcheckText(img.Config.Healthcheck))
	for _, kv := range slices.Sorted(slices.Values(img.Config.Env)) {
		name, value, _ := strings.Cut(kv, "=")
		add("env."+name, value)
	}
	for _, name := range sortedKeys(img.Config.Labels) {
		add("labels."+name, img.Config.Labels[name])
	}
	return values
}

func healthcheckText(h *dockerspec.HealthcheckConfig) string {
	if h == nil {
		return ""
	}
	return strings.Join(h.Test, " ")
}

// has tells whether the spec decides a key: for the app, or for all.
func (k *known) has(key string) bool { return k.spec.Has(k.prefix+key) || k.spec.Has(key) }

// line is the place of a key in the spec.
func (k *known) line(key string) string {
	if k.src == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", k.src.Filename, k.rangeOf(key).Start)
}

// property finds the element of a property or item in the files of the project: in its own, else in those that MSBuild finds
// above it. An item has its Include after its name.
func (k *known) property(name string) string {
	if name == "" {
		return ""
	}
	element := regexp.MustCompile(`<` + strings.Replace(regexp.QuoteMeta(name), `" Include="`, `\s+Include="`, 1) + `[\s>"]`)
	file, offset, ok := k.projectFiles.Find(k.app.Path, element)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%s:%d", file, 1+bytes.Count(k.projectFiles[file][:offset], []byte("\n")))
}

// modeProperty is the property that asks for the mode of the project.
func (k *known) modeProperty() string {
	for _, name := range dotnet.ModeProperties() {
		if k.property(name) != "" {
			return name
		}
	}
	return ""
}

// pinned is a reference with what the registry said of it.
func pinned(img *image) string {
	if img.pinned == nil {
		return img.name
	}
	return img.name + "@" + img.pinned.Digest().String()
}
