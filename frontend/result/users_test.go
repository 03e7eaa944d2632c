package result_test

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// based is a BuildKit with an app whose base has users, for all platforms.
func based(spec ...string) *gatewaytest.Client {
	c := app(three, nil, spec...)
	c.Step(gatewaytest.Step{Name: "docker-image://" + gatewaytest.Runtime, Files: fstest.MapFS{
		"etc":        {Mode: fs.ModeDir | 0o755},
		"etc/passwd": {Data: []byte("root:x:0:0::/root:/bin/sh\napp:x:1654:1654::/home/app:/bin/sh\n"), Mode: 0o644},
		"etc/group":  {Data: []byte("root:x:0:\napp:x:1654:\n"), Mode: 0o644},
		"bin":        {Mode: fs.ModeDir | 0o755},
	}})
	return c
}

// The layer of the users is one vertex for all platforms, and lies below all other layers.
func TestUsers(t *testing.T) {
	c := based("image: {user: shop, users: [{name: shop, uid: 10001}]}", "files: [{to: /app/data}]")
	res := export(t, c)
	n := 0
	for _, name := range c.Ran() {
		if name == "[image] add users" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("users are added by %d vertices", n)
	}
	for _, image := range told(t, res).Apps[0].Images {
		var names []string
		for _, l := range image.Layers {
			if l.Shared {
				names = append(names, l.Name)
			}
		}
		if got := strings.Join(names, " "); got != "users files app" {
			t.Errorf("layers %s", got)
		}
		if image.User != "shop" {
			t.Errorf("user %s", image.User)
		}
	}
}

// A user that the base has makes no layer.
func TestUsersThatAreThere(t *testing.T) {
	c := based("image: {user: app, users: [{name: app, uid: 1654}]}")
	res := export(t, c)
	if slices.Contains(c.Ran(), "[image] add users") || told(t, res).Apps[0].Images[0].Layers[0].Name == "users" {
		t.Error("users are added")
	}
}

// looks tells whether a build looked into the base.
func looks(c *gatewaytest.Client) bool {
	return slices.ContainsFunc(c.Ran(), func(name string) bool {
		return strings.HasPrefix(name, "docker-image://"+gatewaytest.Runtime)
	})
}

// Nobody looks into the base only to see whether it has the user. If somebody looks for another reason, it has to have
// the user.
func TestUserOfBase(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spec  []string
		looks bool
		err   string
	}{
		{name: "a user alone", spec: []string{"image: {user: nobody}"}},
		{name: "a number", spec: []string{"image: {user: 7}", "files: [{to: /bin/x}]"}, looks: true},
		{name: "of the base", spec: []string{"image: {user: app}", "files: [{to: /bin/x}]"}, looks: true},
		{name: "of nobody", spec: []string{"image: {user: nobody}", "files: [{to: /bin/x, owner: 0}]"}, looks: true,
			err: "crosshull.yaml:2: image.user: there is no user nobody: the image has root, app; add yours to image.users"},
		{name: "of a file that lists users", looks: true,
			spec: []string{"image: {user: nobody}", "files: [{to: /etc/passwd, from: a.txt}]"}},
		{name: "an owner of the base", spec: []string{"files: [{to: /app/x, owner: app, from: a.txt}]"}},
		{name: "an owner of nobody", spec: []string{"files: [{to: /app/x, owner: 'app:nobody'}]"}, looks: true,
			err: "crosshull.yaml:2: files.0.owner: there is no group nobody: the image has root, app; add yours to " +
				"image.groups"},
		{name: "a number that is taken", spec: []string{"image:", "  users: [{name: shop, uid: 1654}]"}, looks: true,
			err: "crosshull.yaml:3: image.users.0.uid: 1654 is the number of the user app: choose another number, or set " +
				"image.user to app"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := based(tc.spec...)
			c.Say("a.txt", "x")
			_, err := build(t.Context(), t, c)
			switch {
			case tc.err != "":
				want{Says: tc.err, At: []string{tc.err[:len("crosshull.yaml:2")]}}.Check(t, err)
			case err != nil:
				t.Error(err)
			}
			if got := looks(c); got != tc.looks {
				t.Errorf("the build looked into the base: %v", got)
			}
		})
	}
}
