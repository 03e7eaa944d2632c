package request

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/subrequests/targets"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/frontend/spec"
)

// Kind is what a target gives.
type Kind string

// The kinds of targets. With several apps, each is a target of its name, and the others follow that name and a dash.
const (
	Image   Kind = "image"
	Publish Kind = "publish"
	SDK     Kind = "sdk"
	SBOM    Kind = "sbom"
	Test    Kind = "test"
)

// kinds are all that a spec has, in the order that lists have them.
var kinds = []struct {
	kind        Kind
	description string
	perApp      bool
}{
	{Image, "the image of the app", true},
	{Publish, "the published files, for --output type=local", true},
	{SBOM, "the packages of the app as SPDX, for --output type=local", true},
	{SDK, "the SDK with sources and packages, to look inside", true},
	{Test, "runs the tests; their results, for --output type=local", false},
}

// Target is what of a spec is built.
type Target struct {
	Kind Kind
	// App is the name of the app, and Prefix begins its keys, where the spec has several.
	App, Prefix string
}

// Targets are the targets of the spec, the default first where there is one.
func (r *Request) Targets() []targets.Target {
	var list []targets.Target
	add := func(name, description, key string) {
		t := targets.Target{Name: name, Description: description, Base: r.Spec.Base.Image, Default: name == string(Image)}
		if r.Source != nil {
			t.Location = &pb.Location{Ranges: []*pb.Range{Lines(r.Spec.Range(key))}}
		}
		list = append(list, t)
	}
	apps := SortedKeys(r.Spec.Apps)
	if len(apps) == 0 {
		apps = []string{""}
	}
	for _, app := range apps {
		for _, k := range kinds {
			if !k.perApp {
				continue
			}
			key := "project"
			if app != "" {
				key = "apps." + app
			}
			add(targetName(app, k.kind), k.description, key)
		}
	}
	if len(r.Spec.Tests.Projects) > 0 {
		add(string(Test), kinds[len(kinds)-1].description, "tests")
	}
	return list
}

// targetName is the name of a target, of an app where there are several.
func targetName(app string, kind Kind) string {
	switch {
	case app == "":
		return string(kind)
	case kind == Image:
		return app
	}
	return app + "-" + string(kind)
}

// Choose takes the target that buildx names: the request for the app that it is about.
func (r *Request) Choose() (*Request, error) {
	name := r.Gateway.Target
	apps := SortedKeys(r.Spec.Apps)
	switch {
	case name != "":
	case len(apps) == 0:
		name = string(Image)
	case len(apps) == 1:
		name = apps[0]
	}
	var names []string
	for _, t := range r.Targets() {
		names = append(names, t.Name)
	}
	switch {
	case name == "":
		return nil, r.At("apps", fmt.Errorf("this spec has several apps, so --target has to name one: %s; `docker buildx build --call=bake` prints a bake file for all", strings.Join(names, ", ")))
	case !slices.Contains(names, name):
		return nil, fmt.Errorf("target %q does not exist: use %s", name, strings.Join(names, ", "))
	case len(apps) == 0 || name == string(Test):
		return r.with(Target{Kind: Kind(name)}, r.Spec), nil
	}
	for _, app := range apps {
		for _, k := range kinds {
			if k.perApp && targetName(app, k.kind) == name {
				return r.forApp(app, k.kind), nil
			}
		}
	}
	return nil, fmt.Errorf("target %q does not exist: use %s", name, strings.Join(names, ", "))
}

// EachApp gives the requests for the apps that a call is about: the one that --target names, or all.
func (r *Request) EachApp() ([]*Request, error) {
	if r.Gateway.Target != "" || len(r.Spec.Apps) == 0 {
		chosen, err := r.Choose()
		if err != nil {
			return nil, err
		}
		if chosen.Target.Kind == Test {
			return nil, errors.New("target test is no app")
		}
		return []*Request{chosen}, nil
	}
	var all []*Request
	for _, name := range SortedKeys(r.Spec.Apps) {
		all = append(all, r.forApp(name, Image))
	}
	return all, nil
}

// ForImage is the request for the image of the same app.
func (r *Request) ForImage() *Request {
	t := r.Target
	t.Kind = Image
	return r.with(t, r.Spec)
}

// Default is the request for the app of the same context by a spec that says nothing.
func (r *Request) Default() *Request {
	d := r.with(Target{Kind: Image}, &spec.Spec{})
	d.Source, d.mistakes = nil, nil
	return d
}

// forApp is r for one of several apps.
func (r *Request) forApp(name string, kind Kind) *Request {
	s := *r.Spec
	s.App = *r.Spec.Apps[name]
	return r.with(Target{kind, name, "apps." + name + "."}, &s)
}

func (r *Request) with(t Target, s *spec.Spec) *Request {
	chosen := *r
	chosen.Target, chosen.Spec = t, s
	return &chosen
}

// SortedKeys are the keys of a map in order.
func SortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
