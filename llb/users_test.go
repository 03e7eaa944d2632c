package llb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/accounts"
)

// etc is a base with users: /etc and /home are folders of it, and "> " begins where a link leads.
type etc map[string]string

// stat is a Stat of a base. Files and folders have modes and owners of their own.
func (files etc) stat(_ context.Context, p string) (*fstypes.Stat, error) {
	content, ok := files[p]
	switch {
	case !ok:
		return nil, nil
	case strings.HasPrefix(content, "> "):
		return &fstypes.Stat{Mode: uint32(os.ModeSymlink | 0o777), Linkname: content[2:]}, nil
	case content == "folder":
		return &fstypes.Stat{Mode: uint32(os.ModeDir | os.ModeSticky | 0o751), Uid: 3, Gid: 4}, nil
	case strings.HasSuffix(p, "shadow"):
		return &fstypes.Stat{Mode: 0o640, Gid: 42}, nil
	}
	return &fstypes.Stat{Mode: 0o644}, nil
}

func (files etc) read(_ context.Context, p string) ([]byte, error) {
	content, ok := files[p]
	if !ok || strings.HasPrefix(content, "> ") {
		return nil, fmt.Errorf("no file %s", p)
	}
	return []byte(content), nil
}

var withUsers = etc{
	"/etc": "folder", "/home": "folder", "/srv": "> /var/srv", "/var": "folder", "/file": "x", "/home/app": "folder",
	"/etc/passwd":  "root:x:0:0::/root:/bin/sh\napp:x:1654:1654::/home/app:/bin/sh\n",
	"/etc/group":   "root:x:0:\napp:x:1654:\n",
	"/etc/shadow":  "root:*:::::::\n",
	"/etc/gshadow": "",
}

var shop = spec.Image{Users: []spec.User{{Name: "shop", UID: "10001", GID: "7", Groups: []string{"app"}}}}

func shopUsers(t *testing.T) *Users {
	t.Helper()
	u, err := LookAtUsers(t.Context(), withUsers.stat, withUsers.read, shop)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// list tells of the nodes of a layer.
func list(u *Users) []string {
	var all []string
	for p, n := range u.nodes {
		kind := "file"
		if n.folder {
			kind = "folder"
		}
		all = append(all, fmt.Sprintf("%s %s %04o %d:%d", p, kind, n.mode, n.uid, n.gid))
	}
	slices.Sort(all)
	return all
}

func TestLookAtUsers(t *testing.T) {
	user := func(home string) spec.Image {
		return spec.Image{Users: []spec.User{{Name: "a", UID: "5", GID: "0", Home: home}}}
	}
	linked := etc{"/etc": "folder", "/etc/passwd": "> ../usr/passwd", "/usr": "folder", "/usr/passwd": "root:x:0:0:::\n"}
	passwd := []string{"/etc folder 1751 3:4", "/etc/passwd file 0644 0:0", "/etc/shadow file 0640 0:42"}
	for _, tc := range []struct {
		name  string
		base  etc
		image spec.Image
		want  []string
	}{
		{"nothing", withUsers, spec.Image{}, nil},
		{"nothing new", withUsers, spec.Image{Users: []spec.User{{Name: "app", UID: "1654"}}}, nil},
		{"a group", withUsers, spec.Image{Groups: []spec.Group{{Name: "a", GID: "5"}}},
			[]string{"/etc folder 1751 3:4", "/etc/group file 0644 0:0", "/etc/gshadow file 0640 0:42"}},
		{"a home in a folder of the base", withUsers, user("/home/a"),
			append(slices.Clone(passwd), "/home folder 1751 3:4", "/home/a folder 0755 5:0")},
		{"a home in new folders", withUsers, user("/home/a/b/c"), append(slices.Clone(passwd), "/home folder 1751 3:4",
			"/home/a folder 0755 0:0", "/home/a/b folder 0755 0:0", "/home/a/b/c folder 0755 5:0")},
		{"a home below a link", withUsers, user("/srv/a"),
			append(slices.Clone(passwd), "/var folder 1751 3:4", "/var/srv folder 0755 0:0", "/var/srv/a folder 0755 5:0")},
		{"a home that is there", withUsers, user("/home/app/"), passwd},
		{"the root", withUsers, user("/"), passwd},
		{"no home", withUsers, user("/nonexistent"), passwd},
		{"an empty base", nil, spec.Image{Users: []spec.User{{Name: "a", UID: "5"}}}, []string{"/etc folder 0755 0:0",
			"/etc/group file 0644 0:0", "/etc/passwd file 0644 0:0", "/home folder 0755 0:0", "/home/a folder 0755 5:5"}},
		{"files that are links", linked, spec.Image{Users: []spec.User{{Name: "a", UID: "5", Home: "/nonexistent"}}},
			[]string{"/etc folder 1751 3:4", "/etc/group file 0644 0:0", "/usr folder 1751 3:4", "/usr/passwd file 0644 0:0"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var stat Stat
			if tc.base != nil {
				stat = tc.base.stat
			}
			u, err := LookAtUsers(t.Context(), stat, tc.base.read, tc.image)
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(tc.want)
			if got := list(u); !slices.Equal(got, tc.want) {
				t.Errorf("the layer has\n%q\nwant\n%q", got, tc.want)
			}
			if u.Adds() != (len(tc.want) > 0) {
				t.Errorf("it adds something: %v", u.Adds())
			}
		})
	}
}

func TestLookAtUsersFails(t *testing.T) {
	broken := errors.New("no space left")
	for _, tc := range []struct {
		name string
		base etc
		stat Stat
		read Read
		home string
		want string
		key  string
	}{
		{name: "a folder", base: etc{"/etc": "folder", "/etc/group": "folder"}, want: "/etc/group is no file"},
		{name: "a file that cannot be read", base: withUsers,
			read: func(context.Context, string) ([]byte, error) { return nil, broken }, want: "no space left"},
		{name: "a base that cannot be read",
			stat: func(context.Context, string) (*fstypes.Stat, error) { return nil, broken }, want: "no space left"},
		{name: "a home that is a file", base: withUsers, home: "/file", key: "image.users.0.home",
			want: "the base has no folder at /file, and none can be made: a file is in the way"},
		{name: "a home below a file", base: withUsers, home: "/file/a/b", key: "image.users.0.home",
			want: "the base has no folder at /file/a/b, and none can be made: a file is in the way"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			stat, read := tc.stat, tc.read
			if stat == nil {
				stat = tc.base.stat
			}
			if read == nil {
				read = tc.base.read
			}
			_, err := LookAtUsers(t.Context(), stat, read,
				spec.Image{Users: []spec.User{{Name: "a", UID: "5", GID: "0", Home: tc.home}}})
			var wrong *accounts.Error
			if err == nil || err.Error() != tc.want || errors.As(err, &wrong) != (tc.key != "") {
				t.Fatalf("got %v, want %s", err, tc.want)
			}
			if tc.key != "" && wrong.Key != tc.key {
				t.Errorf("it is of %s, want %s", wrong.Key, tc.key)
			}
		})
	}
}

// With the layer of the users on a base, the home folders are there for the layers above.
func TestUsersOverBase(t *testing.T) {
	u := shopUsers(t)
	for _, base := range []Stat{nil, withUsers.stat} {
		ground, err := Look(t.Context(), []string{"/home/shop/x", "/app", "/etc/shadow"}, u.Over(base))
		if err != nil {
			t.Fatal(err)
		}
		home := ground["/home/shop/x"]
		if !home.Taken || home.Folder != "/home/shop" || home.Stat != nil {
			t.Errorf("a file in a home is at %+v", home)
		}
		if ground["/app"].Taken {
			t.Error("something is in the way of the app")
		}
		if st := ground["/etc/shadow"].Stat; st == nil || st.Gid != 42 || path.Base(st.Path) != st.Path {
			t.Errorf("/etc/shadow is %v", st)
		}
	}
	none, err := LookAtUsers(t.Context(), nil, nil, spec.Image{})
	if err != nil || none.Over(nil) != nil || (*Users)(nil).Over(nil) != nil || len((*Users)(nil).Made()) > 0 {
		t.Errorf("no users add something: %v", err)
	}
	for _, tc := range []struct {
		a, b *Users
		same bool
	}{{u, shopUsers(t), true}, {u, none, false}, {none, nil, true}, {nil, u, false}} {
		if tc.a.SameLayer(tc.b) != tc.same {
			t.Errorf("%v and %v are the same: %v", tc.a, tc.b, !tc.same)
		}
	}
	var made []string
	for _, f := range u.Made() {
		made = append(made, f.Path)
	}
	if got := strings.Join(made, " "); got != "/etc/group /etc/gshadow /etc/passwd /etc/shadow /home/shop" {
		t.Errorf("made are %s", got)
	}
}

func TestOwned(t *testing.T) {
	for _, tc := range []struct{ owner, from, user, want string }{
		{"", "a", "shop", ""}, {"0", "a", "shop", "0"}, {"5", "", "shop", "5"}, {"root", "a", "shop", "root"},
		{"shop", "a", "0", "10001:7"}, {"shop:app", "a", "0", "10001:1654"}, {"shop:5", "a", "0", "10001:5"},
		{"5:app", "a", "0", "5:1654"}, {"app", "a", "shop", "10001:7"}, {"", "", "shop", "10001:7"},
		{"", "", "10001", "10001:7"}, {"", "", "10001:5", ""}, {"", "", "1654", ""}, {"", "", "shop:root", "10001:0"},
		{"app:shop", "a", "0", "1654:7"},
	} {
		files := []spec.File{{To: "/x"}, {Owner: tc.owner, From: entryPaths(tc.from), To: "/a"}}
		owned, err := shopUsers(t).Owned(files, tc.user)
		if err != nil {
			t.Errorf("%+v: %v", tc, err)
		} else if owned[1].Owner != tc.want {
			t.Errorf("%+v: got %s", tc, owned[1].Owner)
		}
	}
	for _, tc := range []struct{ owner, user, key, want string }{
		{"me", "0", "files.0.owner", "there is no user me: the image has root, app, shop; add yours to image.users"},
		{"0:me", "0", "files.0.owner", "there is no group me: the image has root, app, shop; add yours to image.groups"},
		{"app", "me", "image.user", "there is no user me: the image has root, app, shop; add yours to image.users"},
	} {
		_, err := shopUsers(t).Owned([]spec.File{{Owner: tc.owner, From: spec.Paths{"a"}, To: "/a"}}, tc.user)
		var wrong *accounts.Error
		if !errors.As(err, &wrong) || wrong.Key != tc.key || err.Error() != tc.want {
			t.Errorf("%+v: got %v", tc, err)
		}
	}
}

// If the spec has a user with the name app, that is the owner app.
func TestOwnedByApp(t *testing.T) {
	u, err := LookAtUsers(t.Context(), nil, nil, spec.Image{Users: []spec.User{{Name: "app", UID: "7"}}})
	if err != nil {
		t.Fatal(err)
	}
	owned, err := u.Owned([]spec.File{{Owner: "app", From: spec.Paths{"a"}, To: "/a"}, {To: "/b"}}, "root")
	if err != nil || owned[0].Owner != "7:7" || owned[1].Owner != "" {
		t.Errorf("%+v, %v", owned, err)
	}
}

func TestCheckUser(t *testing.T) {
	replaced := []spec.File{{From: spec.Paths{"passwd"}, To: "/etc/"}}
	for _, tc := range []struct {
		user  string
		files []spec.File
		want  string
	}{
		{"shop", nil, ""}, {"5", nil, ""}, {"", nil, ""}, {"root", nil, ""}, {"app:shop", nil, ""}, {"5:6", nil, ""},
		{"me", []spec.File{{To: "/etc"}}, "there is no user me: the image has root, app, shop; add yours to image.users"},
		{"app:me", nil, "there is no group me: the image has root, app, shop; add yours to image.groups"},
		{"me", replaced, ""},
	} {
		err := shopUsers(t).Check(tc.user, tc.files)
		if err == nil && tc.want == "" {
			continue
		}
		if err == nil || err.Error() != tc.want {
			t.Errorf("%s: got %v, want %q", tc.user, err, tc.want)
		}
	}
}

func TestMustKnowUsers(t *testing.T) {
	for _, tc := range []struct {
		image spec.Image
		files []spec.File
		user  string
		want  bool
	}{
		{spec.Image{}, nil, "shop", false},
		{shop, nil, "0", true},
		{spec.Image{Groups: []spec.Group{{}}}, nil, "0", true},
		{spec.Image{}, []spec.File{
			{From: spec.Paths{"a"}}, {Owner: "5:6"}, {From: spec.Paths{"b"}, Owner: "root:root"},
		}, "me", false},
		{spec.Image{}, []spec.File{{To: "/a"}}, "1654:1654", false},
		{spec.Image{}, []spec.File{{To: "/a"}}, "me", true},
		{spec.Image{}, []spec.File{{To: "/a", From: spec.Paths{"a"}, Owner: "app"}}, "me", true},
		{spec.Image{}, []spec.File{{To: "/a", From: spec.Paths{"a"}, Owner: "0:me"}}, "0", true},
	} {
		if got := MustKnowUsers(tc.image, tc.files, tc.user); got != tc.want {
			t.Errorf("%+v: got %v", tc, got)
		}
	}
}

// entryPaths are the files of an entry: none for an empty name.
func entryPaths(name string) spec.Paths {
	if name == "" {
		return nil
	}
	return spec.Paths{name}
}
