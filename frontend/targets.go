package frontend

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/frontend/subrequests"
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
	for _, app := range slices.Sorted(maps.Keys(e.spec.Apps)) {
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

// choose takes the target that buildx names: its kind is returned, and its app becomes the app of the spec.
func (e *entrypoint) choose() (kind string, err error) {
	name := e.bc.Target
	if name == "" && len(e.spec.Apps) == 1 {
		name = slices.Collect(maps.Keys(e.spec.Apps))[0]
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
		return "", e.at("apps", fmt.Errorf("this spec has several apps, so --target has to name one: %s; `docker buildx build --call=bake` prints a bake file for all", strings.Join(names, ", ")))
	case !slices.Contains(names, name):
		return "", fmt.Errorf("target %q does not exist: use %s", name, strings.Join(names, ", "))
	case len(e.spec.Apps) == 0 || name == targetTest:
		return name, nil
	}
	kind = targetImage
	app := name
	for _, k := range targetsOfApp {
		if rest, ok := strings.CutSuffix(name, "-"+k); ok {
			app, kind = rest, k
		}
	}
	s := *e.spec
	s.App = *e.spec.Apps[app]
	e.spec, e.prefix = &s, "apps."+app+"."
	return kind, nil
}

// requestBake is the subrequest of --call=bake.
const requestBake = "frontend.bake"

// bake is a file for `docker buildx bake` that builds all images of the spec in one go.
func (e *entrypoint) bake() (*client.Result, error) {
	type target struct {
		Context    string   `json:"context"`
		Dockerfile string   `json:"dockerfile"`
		Target     string   `json:"target"`
		Tags       []string `json:"tags"`
		Platforms  []string `json:"platforms,omitempty"`
	}
	type group struct {
		Targets []string `json:"targets"`
	}
	file := struct {
		Group  map[string]group  `json:"group"`
		Target map[string]target `json:"target"`
	}{map[string]group{}, map[string]target{}}
	var ps []string
	for _, p := range e.bc.TargetPlatforms {
		ps = append(ps, platforms.Format(platforms.Normalize(p)))
	}
	spec := SpecName
	if e.src != nil {
		spec = e.src.Filename
	}
	names := slices.Sorted(maps.Keys(e.spec.Apps))
	if len(names) == 0 {
		names = []string{targetImage}
	}
	for _, name := range names {
		tag := name
		if name == targetImage {
			tag = "app"
		}
		file.Target[name] = target{Context: ".", Dockerfile: spec, Target: name, Tags: []string{tag}, Platforms: ps}
	}
	file.Group["default"] = group{names}
	dt, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write bake file: %w", err)
	}
	res := client.NewResult()
	res.AddMeta("result.json", dt)
	res.AddMeta("result.txt", append(dt, '\n'))
	res.AddMeta("version", []byte(subrequests.SubrequestsDescribeDefinition.Version))
	return res, nil
}
