package call

import (
	"context"
	"maps"
	"slices"
	"strings"

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
	Dockerfile string            `json:"dockerfile,omitempty"`
	Target     string            `json:"target"`
	Args       map[string]string `json:"args,omitempty"`
	Tags       []string          `json:"tags"`
	Platforms  []string          `json:"platforms,omitempty"`
}

// argSyntax is the build argument that names the frontend, whatever a file says.
const argSyntax = "BUILDKIT_SYNTAX"

// bake answers --call=bake: a file that builds all images of the spec in one go, for the platforms and with the build
// arguments of the call.
func bake(_ context.Context, req *request.Request) (*answer, error) {
	out := bakeFile{Group: map[string]bakeGroup{}, Target: map[string]bakeTarget{}}
	ps := gateway.Platforms(req.Gateway.TargetPlatforms)
	args := map[string]string{}
	for _, a := range req.Arguments() {
		if a.Given {
			args[a.Name] = literal(a.Value)
		}
	}
	file := ""
	if req.Source != nil {
		file = literal(req.Source.Filename)
	} else if v := req.Gateway.BuildArgs[argSyntax]; v != "" {
		args[argSyntax] = literal(v) // there is no file that names the frontend
	}
	names := slices.Sorted(maps.Keys(req.Spec.Apps))
	if len(names) == 0 {
		names = []string{spec.TargetImage}
	}
	for _, name := range names {
		tag := name
		if name == spec.TargetImage {
			tag = "app"
		}
		out.Target[name] = bakeTarget{
			Context: ".", Dockerfile: file, Target: name, Args: args, Tags: []string{tag}, Platforms: ps,
		}
	}
	out.Group["default"] = bakeGroup{names}
	a, err := marshalAnswer(nil, out)
	if err == nil {
		a.text = append(a.json, '\n')
	}
	return a, err
}

// literal escapes HCL templates in a text: bake expands them in JSON, too.
func literal(s string) string { return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(s) }
