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

// Target is the part of a spec that is built.
type Target struct {
	// Kind is the name of one of [spec.Targets].
	Kind string
	// App is the name of the app, and Prefix the beginning of its keys. Both are empty in a spec with one app.
	App, Prefix string
}

// Targets are the targets of the spec, the default first where there is one.
func (r *Request) Targets() []targets.Target {
	var list []targets.Target
	add := func(t spec.Target, app, key string) {
		target := targets.Target{
			Name: t.Of(app), Description: t.Description, Base: r.Spec.Of(app).Base.Image,
			Default: t.PerApp && t.Name == spec.TargetImage && len(r.Spec.Apps) <= 1,
		}
		if r.Source != nil {
			target.Location = &pb.Location{Ranges: []*pb.Range{Lines(r.Spec.Range(key))}}
		}
		list = append(list, target)
	}
	apps := slices.Sorted(maps.Keys(r.Spec.Apps))
	if len(apps) == 0 {
		apps = []string{""}
	}
	for _, app := range apps {
		for _, t := range spec.Targets {
			switch {
			case !t.PerApp, t.Name != spec.TargetImage && r.Spec.Of(app).None():
			case app == "":
				add(t, app, "project")
			default:
				add(t, app, "apps."+app)
			}
		}
	}
	for _, t := range spec.Targets {
		if !t.PerApp && len(r.Spec.Tests.Projects) > 0 {
			add(t, "", "tests")
		}
	}
	return list
}

// Choose gives the request for the target that --target names.
func (r *Request) Choose() (*Request, error) {
	name := r.Gateway.Target
	apps := slices.Sorted(maps.Keys(r.Spec.Apps))
	switch {
	case name != "":
	case len(apps) == 0:
		name = spec.TargetImage
	case len(apps) == 1:
		name = apps[0]
	}
	var names []string
	for _, t := range r.Targets() {
		names = append(names, t.Name)
	}
	exists := slices.Contains(names, name)
	switch {
	case name == "":
		return nil, r.At(
			"apps",
			fmt.Errorf(
				"this spec has several apps, so --target has to name one: %s. `docker buildx build --call=bake` prints a bake "+
					"file for all of them",
				strings.Join(names, ", "),
			),
		)
	case exists && (len(apps) == 0 || name == spec.TargetTest):
		return r.with(Target{Kind: name}, r.Spec), nil
	}
	for _, app := range apps {
		for _, t := range spec.Targets {
			if exists && t.PerApp && t.Of(app) == name {
				return r.forApp(app, t.Name), nil
			}
		}
	}
	return nil, fmt.Errorf("target %q does not exist: use %s", name, strings.Join(names, ", "))
}

// Named is the request for the target that --target names, and r itself without --target.
func (r *Request) Named() (*Request, error) {
	if r.Gateway.Target == "" {
		return r, nil
	}
	return r.Choose()
}

// ForTests is the request for the tests of the spec.
func (r *Request) ForTests() *Request { return r.with(Target{Kind: spec.TargetTest}, r.Spec) }

// EachApp gives the requests for the apps that a call is about: the one that --target names, or all.
func (r *Request) EachApp() ([]*Request, error) {
	if r.Gateway.Target != "" || len(r.Spec.Apps) == 0 {
		chosen, err := r.Choose()
		if err != nil {
			return nil, err
		}
		if chosen.Target.Kind == spec.TargetTest {
			return nil, errors.New("this call is about one app, and target test is about all: name an app with --target")
		}
		return []*Request{chosen}, nil
	}
	var all []*Request
	for _, name := range slices.Sorted(maps.Keys(r.Spec.Apps)) {
		all = append(all, r.forApp(name, spec.TargetImage))
	}
	return all, nil
}

// ForImage is the request for the image of the same app.
func (r *Request) ForImage() *Request {
	t := r.Target
	t.Kind = spec.TargetImage
	return r.with(t, r.Spec)
}

// Default is the request for the same context with an empty spec.
func (r *Request) Default() *Request {
	d := r.with(Target{Kind: spec.TargetImage}, &spec.Spec{})
	d.Source, d.mistakes = nil, nil
	return d
}

// forApp is r for one of several apps.
func (r *Request) forApp(name, kind string) *Request {
	return r.with(Target{kind, name, "apps." + name + "."}, r.Spec.Of(name))
}

func (r *Request) with(t Target, s *spec.Spec) *Request {
	chosen := *r
	chosen.Target, chosen.Spec = t, s
	return &chosen
}
