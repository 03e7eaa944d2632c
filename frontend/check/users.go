package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/spec"
)

// unusedUser finds users of the spec that nothing in the spec and in the commands of the image names.
func unusedUser(r *run, a *App) {
	for i, u := range a.Spec.Image.Users {
		if !a.names(u) {
			const says = "nothing runs as %s, and no file belongs to it: set image.user: %s, or name it in owner of files"
			r.warn(r.where(a, inKey(fmt.Sprintf("image.users.%d", i))), says, u.Name, u.Name)
		}
	}
}

// names tells whether something names a user. Without an image, nothing is known of commands.
func (a *App) names(u spec.User) bool {
	is := func(owner string) bool {
		name, _, _ := strings.Cut(owner, ":")
		return name == u.Name || name == u.UID
	}
	if len(a.Images) == 0 || slices.ContainsFunc(a.Spec.Files, func(f spec.File) bool { return is(f.Owner) }) {
		return true
	}
	for _, image := range a.Images {
		words := slices.Concat([]string{image.Image.User}, image.Image.Entrypoint, image.Image.Cmd, image.Image.Env)
		if slices.ContainsFunc(words, func(w string) bool { return is(w) || strings.Contains(w, u.Name) }) {
			return true
		}
	}
	return false
}

// userInBase finds users and groups of the spec that the bases of all platforms have, so that they change nothing.
func userInBase(r *run, a *App) {
	redundant := func(key string) bool {
		return len(a.Images) > 0 && !slices.ContainsFunc(a.Images, func(image Configured) bool {
			return !slices.Contains(image.Present, key)
		})
	}
	const says = "%s has the %s %s with this number: leave the entry out"
	for i, u := range a.Spec.Image.Users {
		if key := fmt.Sprintf("image.users.%d", i); redundant(key) && len(u.Groups) == 0 {
			r.warn(r.where(a, inKey(key)), says, a.Base.Name, "user", u.Name)
		}
	}
	for i, g := range a.Spec.Image.Groups {
		if key := fmt.Sprintf("image.groups.%d", i); redundant(key) {
			r.warn(r.where(a, inKey(key)), says, a.Base.Name, "group", g.Name)
		}
	}
}
