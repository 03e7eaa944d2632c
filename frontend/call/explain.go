package call

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// explainValues answers --call=explain.
func explainValues(ctx context.Context, req *request.Request) (*answer, error) {
	all, err := plans(ctx, req)
	if err != nil {
		return nil, err
	}
	explanation := &report.Explanation{}
	for _, p := range all {
		values := explainer{p}.values()
		explanation.Apps = append(explanation.Apps, report.Explained{Name: p.Request.Target.App, Values: values})
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

// explainer finds out who decided the values of a plan.
type explainer struct{ *plan.Plan }

// values lists the values of the build, and then those of the images.
func (k explainer) values() []report.Value {
	var values []report.Value
	add := func(key, value, from, at string) {
		values = append(values, report.Value{Key: key, Value: value, From: from, At: at})
	}
	for _, a := range k.Request.Arguments() {
		from, at := byArgument, "--build-arg"
		if !a.Given {
			from, at = bySpec, k.Request.Line("args."+a.Name)
		}
		add("args."+a.Name, a.Value, from, at)
	}
	// orProject adds a value. It comes from the spec if that has the key, else from the property of the project, else
	// from what from and at name.
	orProject := func(key, value, property, from, at string) {
		switch file := k.property(property); {
		case k.Request.Has(key):
			add(key, value, bySpec, k.Request.Line(key))
		case file != "":
			add(key, value, byProject, file+" ("+property+")")
		default:
			add(key, value, from, at)
		}
	}
	if k.App.None() {
		add("project", spec.NoProject, bySpec, k.Request.Line("project"))
	} else {
		k.explainBuild(add, orProject)
	}
	switch {
	case k.Request.Has("base.family"):
		add("base.image", k.base(), bySpec, k.Request.Line("base.family"))
	case k.Request.Has("base.image"):
		add("base.image", k.base(), bySpec, k.Request.Line("base.image"))
	case k.property("ContainerFamily") != "" && k.property("ContainerBaseImage") == "":
		orProject("base.image", k.base(), "ContainerFamily", bySDK, "")
	default:
		const inferred = "inferred from TargetFramework, SDK, mode and frameworks"
		orProject("base.image", k.base(), "ContainerBaseImage", bySDK, inferred)
	}
	if k.Epoch != nil {
		add("SOURCE_DATE_EPOCH", fmt.Sprint(k.Epoch.Unix()), byArgument, k.Request.Gateway.BuildArgs["SOURCE_DATE_EPOCH"])
	}
	names := make([]string, len(k.Targets))
	images := make([][]report.Value, len(k.Targets))
	for i, t := range k.Targets {
		names[i], images[i] = platforms.Format(platforms.Normalize(t.Platform)), k.explainImage(t.Config)
		if t.Packages != nil {
			images[i] = append(images[i], report.Value{
				Key: "base.packages", Value: strings.Join(t.Packages.Install, ", "), From: bySpec,
				At: k.Request.Line("base.packages"),
			})
		}
	}
	return append(values, report.Merge(names, images)...)
}

// explainBuild adds the values of the build: the project, and how it is published.
func (k explainer) explainBuild(
	add func(key, value, from, at string), orProject func(key, value, property, from, at string),
) {
	orProject("project", k.App.Path, "", byCrosshull, "the only app in the context")
	orProject("framework", k.App.TargetFramework, "TargetFramework", byProject, "the only one that it has")
	orProject(
		"publish.mode",
		k.App.Mode.String(),
		k.modeProperty(),
		byCrosshull,
		"no property of the project asks for another",
	)
	orProject("publish.configuration", k.Project.Configuration, "", byCrosshull, "the default")
	for _, name := range slices.Sorted(maps.Keys(k.Project.Properties)) {
		add("publish.properties."+name, k.Project.Properties[name], bySpec, k.Request.Line("publish.properties."+name))
	}
	for i, of := range k.Also {
		key := fmt.Sprintf("publish.also.%d", i)
		add(key, fmt.Sprintf("%s, %s, in %s", of.App.Path, of.App.Mode, of.Dir), bySpec, k.Request.Line(key))
	}
	sdk := k.explainSDK()
	add(sdk.Key, sdk.Value, sdk.From, sdk.At)
	if k.Toolchain != nil {
		orProject("sdk.toolchain", k.Toolchain.Pin(), "", byCrosshull, "the variant of the SDK that has a linker")
	}
}

// explainSDK says why the SDK is what it is.
func (k explainer) explainSDK() report.Value {
	v := report.Value{Key: "sdk.image", Value: k.SDK.Image.Pin()}
	switch {
	case k.Request.Has("sdk.image"):
		v.From, v.At = bySpec, k.Request.Line("sdk.image")
	case k.Request.Has("sdk.version"):
		v.From, v.At = bySpec, k.Request.Line("sdk.version")
	case k.SDK.Pin != nil:
		v.From, v.At = byProject, fmt.Sprintf("%s:%d", k.SDK.Pin.Name, max(k.SDK.Pin.Line, 1))
	default:
		v.From, v.At = byCrosshull, "for the newest TargetFramework, at least "+dotnet.DefaultSDK
	}
	return v
}

// properties are the properties of a project that decide values of the image.
var properties = map[string]string{
	"user":       "ContainerUser",
	"workdir":    "ContainerWorkingDirectory",
	"entrypoint": "ContainerEntrypoint",
	"args":       "ContainerDefaultArgs",
	"ports":      "ContainerPort",
}

// explainImage says who decided the values of an image.
func (k explainer) explainImage(config *xllb.Configuration) []report.Value {
	var values []report.Value
	add := func(key, value string) {
		if value == "" {
			return
		}
		v := report.Value{Key: "image." + key, Value: value}
		switch config.Origins[key] {
		case xllb.FromFlag:
			v.From, v.At = byBuildx, "--label"
		case xllb.FromSpec:
			v.From, v.At = bySpec, k.Request.Line("image."+key)
		case xllb.FromProject:
			v.From, v.At = bySDK, "for the project"
			if k.App.None() {
				v.From, v.At = byCrosshull, "for every image"
			}
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
	for _, name := range slices.Sorted(maps.Keys(img.Config.Labels)) {
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

// property finds the element of a property or item in the project file, else in the files that MSBuild finds in the
// folders above. The name of an item ends with its Include.
func (k explainer) property(name string) string {
	if name == "" {
		return ""
	}
	element := regexp.MustCompile(
		`<` + strings.Replace(regexp.QuoteMeta(name), `" Include="`, `\s+Include="`, 1) + `[\s>"]`,
	)
	file, offset, ok := k.Tree.Files.Find(k.App.Path, element)
	if !ok || k.App.None() {
		return ""
	}
	return fmt.Sprintf("%s:%d", file, 1+bytes.Count(k.Tree.Files[file][:offset], []byte("\n")))
}

// modeProperty is the property that asks for the mode of the project.
func (k explainer) modeProperty() string {
	for _, name := range dotnet.ModeProperties() {
		if k.property(name) != "" {
			return name
		}
	}
	return ""
}

func (k explainer) base() string { return k.Targets[0].Base.Pin() }
