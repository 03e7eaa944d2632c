package frontend

import (
	"fmt"

	"github.com/moby/buildkit/frontend/subrequests/outline"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
)

// outline is what a target takes: build arguments, secrets and agents.
func (e *entrypoint) outline() outline.Outline {
	o := outline.Outline{Name: e.bc.Target, Sources: e.sources()}
	for _, t := range e.targets() {
		if t.Name == e.bc.Target || e.bc.Target == "" && (t.Default || o.Name == "") {
			o.Name, o.Description = t.Name, t.Description
		}
	}
	for _, a := range e.arguments() {
		o.Args = append(o.Args, outline.Arg{Name: a.Name, Description: a.Description, Value: a.Value, Location: e.place("args." + a.Name)})
	}
	o.Args = append(o.Args, outline.Arg{
		Name:        "SOURCE_DATE_EPOCH",
		Description: "the time to put into labels and configuration: seconds since 1970, or context",
		Value:       e.bc.BuildArgs["SOURCE_DATE_EPOCH"],
	})
	for _, s := range e.secrets() {
		if s.SSH {
			o.SSH = append(o.SSH, outline.SSH{Name: s.ID, Required: true, Location: e.place(s.Key)})
		} else {
			o.Secrets = append(o.Secrets, outline.Secret{Name: s.ID, Required: true, Location: e.place(s.Key)})
		}
	}
	return o
}

// place is where a key is in the spec, nil where it is not.
func (e *entrypoint) place(key string) *pb.Location {
	if e.src == nil || !e.spec.Has(key) {
		return nil
	}
	return &pb.Location{Ranges: []*pb.Range{pbRange(e.spec.Range(key))}}
}

func (e *entrypoint) sources() [][]byte {
	if e.src == nil {
		return nil
	}
	return [][]byte{e.src.Data}
}

// arguments are the build arguments of the spec, with the values that they have.
func (e *entrypoint) arguments() []plan.Argument {
	var args []plan.Argument
	for _, name := range sortedKeys(e.spec.Args) {
		a := plan.Argument{Name: name, Value: e.spec.Args[name].Default, Description: e.spec.Args[name].Description}
		if v, ok := e.bc.BuildArgs[name]; ok {
			a.Value, a.Given = v, true
		}
		args = append(args, a)
	}
	return args
}

// secrets are all that the spec names, and which steps get them.
func (e *entrypoint) secrets() []plan.Secret {
	var all []plan.Secret
	add := func(id, phase, key string) {
		if id != "" {
			all = append(all, plan.Secret{ID: id, Phase: phase, Key: key})
		}
	}
	n := e.spec.NuGet
	add(n.ConfigSecret, xllb.PhaseRestore, "nuget.config-secret")
	add(n.CASecret, xllb.PhaseRestore, "nuget.ca-secret")
	for i, f := range n.Feeds {
		add(f.PasswordSecret, xllb.PhaseRestore, fmt.Sprintf("nuget.feeds.%d.password-secret", i))
	}
	for _, name := range sortedKeys(n.Secrets) {
		add(n.Secrets[name], xllb.PhaseRestore, "nuget.secrets."+name)
	}
	apps := map[string]*spec.App{"": &e.spec.App}
	if e.appName == "" {
		for name, app := range e.spec.Apps {
			apps["apps."+name+"."] = app
		}
	}
	for _, prefix := range sortedKeys(apps) {
		for _, name := range sortedKeys(apps[prefix].Publish.Secrets) {
			if key := prefix + "publish.secrets." + name; prefix == "" || e.spec.Has(key) {
				add(apps[prefix].Publish.Secrets[name], xllb.PhasePublish, key)
			}
		}
		for i, id := range apps[prefix].Publish.SSH {
			if key := fmt.Sprintf("%spublish.ssh.%d", prefix, i); prefix == "" || e.spec.Has(key) {
				all = append(all, plan.Secret{ID: id, SSH: true, Phase: xllb.PhasePublish, Key: key})
			}
		}
	}
	for _, name := range sortedKeys(e.spec.Tests.Secrets) {
		add(e.spec.Tests.Secrets[name], xllb.PhaseTest, "tests.secrets."+name)
	}
	return all
}
