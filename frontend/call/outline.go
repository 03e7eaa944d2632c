package call

import (
	"github.com/moby/buildkit/frontend/subrequests/outline"

	"github.com/crosshull/crosshull/frontend/request"
)

// outlineOf lists what the user can give to a target: build arguments, secrets and agents.
func outlineOf(req *request.Request) (outline.Outline, error) {
	targets := req.Targets()
	req, err := req.Named()
	if err != nil {
		return outline.Outline{}, err
	}
	o := outline.Outline{Name: req.Gateway.Target, Sources: sources(req)}
	for _, t := range targets {
		if t.Name == req.Gateway.Target || req.Gateway.Target == "" && (t.Default || o.Name == "") {
			o.Name, o.Description = t.Name, t.Description
		}
	}
	for _, a := range req.Arguments() {
		o.Args = append(
			o.Args,
			outline.Arg{Name: a.Name, Description: a.Description, Value: a.Value, Location: req.Place("args." + a.Name)},
		)
	}
	o.Args = append(o.Args, outline.Arg{
		Name:        "SOURCE_DATE_EPOCH",
		Description: "the time to put into labels and configuration: seconds since 1970, or context",
		Value:       req.Gateway.BuildArgs["SOURCE_DATE_EPOCH"],
	})
	for _, s := range req.Secrets() {
		if s.SSH {
			o.SSH = append(o.SSH, outline.SSH{Name: s.ID, Required: true, Location: req.Place(s.Key)})
		} else {
			o.Secrets = append(o.Secrets, outline.Secret{Name: s.ID, Required: true, Location: req.Place(s.Key)})
		}
	}
	return o, nil
}

func sources(req *request.Request) [][]byte {
	if req.Source == nil {
		return nil
	}
	return [][]byte{req.Source.Data}
}
