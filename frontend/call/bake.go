package call

import (
	"context"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
)

// bakeFile is what `docker buildx bake` reads.
type bakeFile struct {
	Group  map[string]bakeGroup  `json:"group"`
	Target map[string]bakeTarget `json:"target"`
}

type bakeGroup struct {
	Targets []string `json:"targets"`
}

type bakeTarget struct {
	Context    string            `json:"context"`
	Dockerfile string            `json:"dockerfile"`
	Target     string            `json:"target"`
	Args       map[string]string `json:"args,omitempty"`
	Tags       []string          `json:"tags"`
	Platforms  []string          `json:"platforms,omitempty"`
}

// bake answers --call=bake: a file that builds all images of the spec in one go, for the platforms and with the build
// arguments of the call.
func bake(_ context.Context, req *request.Request) (*answer, error) {
	file := bakeFile{Group: map[string]bakeGroup{}, Target: map[string]bakeTarget{}}
	ps := gateway.Platforms(req.Gateway.TargetPlatforms)
	args := map[string]string{}
	for _, a := range req.Arguments() {
		if a.Given {
			args[a.Name] = a.Value
		}
	}
	names := request.SortedKeys(req.Spec.Apps)
	if len(names) == 0 {
		names = []string{spec.TargetImage}
	}
	for _, name := range names {
		tag := name
		if name == spec.TargetImage {
			tag = "app"
		}
		file.Target[name] = bakeTarget{Context: ".", Dockerfile: req.SpecName(), Target: name, Args: args, Tags: []string{tag}, Platforms: ps}
	}
	file.Group["default"] = bakeGroup{names}
	a, err := marshalAnswer(nil, file)
	if err == nil {
		a.text = append(a.json, '\n')
	}
	return a, err
}
