package plan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/accounts"
)

// WithUsers is p with the users of the images that need them. The entries of files then have numbers for their owners
// in place of names. WithUsers looks into the bases, and BuildKit pulls them for that. So it is no part of [Make]: a
// build does it while the app compiles.
func (p *Plan) WithUsers(ctx context.Context) (*Plan, error) {
	known := *p
	known.Targets = slices.Clone(p.Targets)
	eg, ctx := gateway.Group(ctx)
	for i := range known.Targets {
		t := &known.Targets[i]
		if t.Config == nil || !p.mustKnowUsers(*t) {
			continue
		}
		eg.Go(func() (err error) {
			if t.Users, err = Users(ctx, p.Request, t.Base.Image, t.Spec, t.Config); err != nil {
				return err
			}
			own := *t.Spec
			own.Files, err = t.Users.Owned(t.Spec.Files, t.Config.User())
			t.Spec = &own
			return at(p.Request, t.Base.Image, err)
		})
	}
	return &known, eg.Wait()
}

// mustKnowUsers tells whether the build depends on the users of an image. If the spec or the project gives the image a
// user by name, and BuildKit pulls the base in any case, the name is checked.
func (p *Plan) mustKnowUsers(t Target) bool {
	user := t.Config.User()
	if xllb.MustKnowUsers(t.Spec.Image, t.Spec.Files, user) {
		return true
	}
	isName := strings.Trim(user, "0123456789:") != ""
	return isName && t.Config.Origins["user"] != xllb.FromBase &&
		xllb.MustLook(t.Base.State, t.Base.Config, xllb.AppDir(p.App), t.Spec.Files)
}

// SameUsers tells whether all images get the same layer for their users.
func (p *Plan) SameUsers() bool {
	return !slices.ContainsFunc(p.Targets, func(t Target) bool { return !t.Users.SameLayer(p.Targets[0].Users) })
}

// Users are the users of an image on a base: those of the base, and those of the spec. The error points at the spec if
// the two do not go together, or if the user that the image runs as is not among them.
func Users(
	ctx context.Context, req *request.Request, base *gateway.Image, s *spec.Spec, config *xllb.Configuration,
) (*xllb.Users, error) {
	ref, err := req.Gateway.Evaluate(ctx, base.State)
	if err != nil {
		return nil, req.At(req.BaseKey(), fmt.Errorf("look for the users of %s: %w", base.Name, err))
	}
	var stat xllb.Stat
	var read xllb.Read
	if ref != nil { // nil is an empty image
		stat = gateway.Lstat(ref)
		read = func(ctx context.Context, path string) ([]byte, error) { return gateway.ReadRef(ctx, ref, path) }
	}
	users, err := xllb.LookAtUsers(ctx, stat, read, s.Image)
	if err == nil {
		err = users.Check(config.Image.Config.User, s.Files)
	}
	return users, at(req, base, err)
}

// at makes an error about the users of an image on a base point at the spec.
func at(req *request.Request, base *gateway.Image, err error) error {
	var wrong *accounts.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		return req.At(wrong.Key, fmt.Errorf("%s: %w", wrong.Key, err))
	}
	return req.At(req.BaseKey(), fmt.Errorf("look for the users of %s: %w", base.Name, err))
}
