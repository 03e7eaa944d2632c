package frontend

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/pb"
)

// The targets of a spec. With several apps, each is a target of its name, and the others follow that name and a dash.
const (
	targetImage   = "image"
	targetPublish = "publish"
	targetSDK     = "sdk"
	targetSBOM    = "sbom"
	targetTest    = "test"
)

// targetsOfApp are those that every app has beside its image.
var targetsOfApp = []string{targetPublish, targetSBOM, targetSDK}

var targetDescriptions = map[string]string{
	targetImage:   "the image of the app",
	targetPublish: "the published files, for --output type=local",
	targetSDK:     "the SDK with sources and packages, to look inside",
	targetSBOM:    "the packages of the app as SPDX, for --output type=local",
	targetTest:    "runs the tests; their results, for --output type=local",
}

// targets are the targets of the spec, the default first where there is one.
func (e *entrypoint) targets() []targets.Target {
	var list []targets.Target
	add := func(name, kind, key string) {
		t := targets.Target{Name: name, Description: targetDescriptions[kind], Base: e.spec.Base.Image, Default: name == targetImage}
		if e.src != nil {
			t.Location = &pb.Location{Ranges: []*pb.Range{pbRange(e.spec.Range(key))}}
		}
		list = append(list, t)
	}
	if len(e.spec.Apps) == 0 {
		for _, kind := range append([]string{targetImage}, targetsOfApp...) {
			add(kind, kind, "project")
		}
	}
	for _, app := range sortedKeys(e.spec.Apps) {
		add(app, targetImage, "apps."+app)
		for _, kind := range targetsOfApp {
			add(app+"-"+kind, kind, "apps."+app)
		}
	}
	if len(e.spec.Tests.Projects) > 0 {
		add(targetTest, targetTest, "tests")
	}
	return list
}

// choose takes the target that buildx names: the app that it is about, and its kind.
func (e *entrypoint) choose() (chosen *entrypoint, kind string, err error) {
	name := e.bc.Target
	if name == "" && len(e.spec.Apps) == 1 {
		name = sortedKeys(e.spec.Apps)[0]
	}
	if name == "" && len(e.spec.Apps) == 0 {
		name = targetImage
	}
	var names []string
	for _, t := range e.targets() {
		names = append(names, t.Name)
	}
	switch {
	case name == "":
		return nil, "", e.at("apps", fmt.Errorf("this spec has several apps, so --target has to name one: %s; `docker buildx build --call=bake` prints a bake file for all", strings.Join(names, ", ")))
	case !slices.Contains(names, name):
		return nil, "", fmt.Errorf("target %q does not exist: use %s", name, strings.Join(names, ", "))
	case len(e.spec.Apps) == 0 || name == targetTest:
		return e, name, nil
	}
	kind = targetImage
	app := name
	for _, k := range targetsOfApp {
		if rest, ok := strings.CutSuffix(name, "-"+k); ok {
			app, kind = rest, k
		}
	}
	return e.forApp(app), kind, nil
}

// forApp is e for one of several apps.
func (e *entrypoint) forApp(name string) *entrypoint {
	s := *e.spec
	s.App = *e.spec.Apps[name]
	return &entrypoint{bc: e.bc, spec: &s, src: e.src, appName: name, prefix: "apps." + name + "."}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
