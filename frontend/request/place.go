package request

import (
	"fmt"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/frontend/spec"
)

// At makes err point at a key of the spec. An error that has a place keeps it: that of a solve has its vertex's place.
func (r *Request) At(key string, err error) error {
	if r.Source == nil || err == nil || len(errdefs.Sources(err)) > 0 {
		return err
	}
	at := r.Range(key)
	return withSource(fmt.Errorf("%s:%d: %w", r.Source.Filename, at.Start, err), r.Source, at)
}

// Locate is At for an error whose text names the place already.
func (r *Request) Locate(key string, err error) error {
	if r.Source == nil || err == nil {
		return err
	}
	return withSource(err, r.Source, r.Range(key))
}

// Range gives the lines of a key: in the target's app, else in the part for all apps.
func (r *Request) Range(key string) spec.Range {
	if own := r.Target.Prefix + key; r.Target.Prefix != "" && (r.Spec.Has(own) || !r.Spec.Has(key)) {
		key = own
	}
	return r.Spec.Range(key)
}

// Has tells whether the spec sets a key: for the app, or for all apps.
func (r *Request) Has(key string) bool { return r.Spec.Has(r.Target.Prefix+key) || r.Spec.Has(key) }

// PerPlatform tells whether the value of a key of the app differs by platform.
func (r *Request) PerPlatform(key string) bool {
	return r.Spec.PerPlatform(r.Target.Prefix+key) || r.Spec.PerPlatform(key)
}

// Line is the place of a key in the spec as FILE:LINE; empty if there is no spec.
func (r *Request) Line(key string) string {
	if r.Source == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", r.Source.Filename, r.Range(key).Start)
}

// Place is the place of a key in the spec; nil if the spec does not have it.
func (r *Request) Place(key string) *pb.Location {
	if r.Source == nil || !r.Spec.Has(key) {
		return nil
	}
	return &pb.Location{Ranges: []*pb.Range{Lines(r.Spec.Range(key))}}
}

// BaseKey is the key of the spec that sets the base image.
func (r *Request) BaseKey() string {
	if r.Spec.Base.Image != "" {
		return "base.image"
	}
	return "base.family"
}

// location makes a vertex point at a key of the spec, for the errors that come after the frontend has returned.
func (r *Request) location(key string) []llb.ConstraintsOpt {
	if r.Source == nil {
		return nil
	}
	if !r.Has(key) {
		key = "project" // all steps are for the project
	}
	return []llb.ConstraintsOpt{r.Source.Location([]*pb.Range{Lines(r.Range(key))})}
}

func withSource(err error, src *dockerui.Source, r spec.Range) error {
	return errdefs.WithSource(err, &errdefs.Source{
		Info: &pb.SourceInfo{
			Data:       src.Data,
			Filename:   src.Filename,
			Language:   src.Language,
			Definition: src.Definition.ToPB(),
		},
		Ranges: []*pb.Range{Lines(r)},
	})
}

// Lines is a range as BuildKit's type.
func Lines(r spec.Range) *pb.Range {
	return &pb.Range{Start: &pb.Position{Line: int32(r.Start)}, End: &pb.Position{Line: int32(r.End)}}
}
