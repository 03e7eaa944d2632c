package accounts

import (
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/frontend/spec"
)

// base are the files of a base with shadow files.
var base = Files{
	Passwd: []byte("root:x:0:0:root:/root:/bin/bash\n# a remark\nnews:x:9:13::/var/news:/bin/sh\n" +
		"app:x:1654:1654::/home/app:/bin/sh\n"),
	Group:   []byte("root:x:0:\nnews:x:13:\nvideo:x:44:app\nempty:x:45\napp:x:1654:\n"),
	Shadow:  []byte("root:*:19000:0:99999:7:::\n"),
	GShadow: []byte("root:*::\nvideo:!::app\n"),
}

// What is added to each file, as its new lines; a line that changes is listed as it is then.
func TestAdd(t *testing.T) {
	for _, tc := range []struct {
		name   string
		base   Files
		users  []spec.User
		groups []spec.Group
		want   string
		homes  string
		there  string
	}{
		{name: "nothing", base: base},
		{name: "a user", base: base, users: []spec.User{{Name: "shop", UID: "10001"}},
			want: "passwd shop:x:10001:10001::/home/shop:/bin/sh, group shop:x:10001:, shadow shop:!::0:99999:7:::, " +
				"gshadow shop:!::", homes: "/home/shop 10001:10001"},
		{name: "all of a user", base: base, groups: []spec.Group{{Name: "media", GID: "7"}}, users: []spec.User{
			{Name: "shop", UID: "999", GID: "media", Groups: []string{"video", "45", "media"}, Home: "/srv", Shell: "/bin/a"},
		}, want: "passwd shop:x:999:7::/srv:/bin/a, group video:x:44:app,shop, group empty:x:45:shop, " +
			"group media:x:7:shop, shadow shop:!:::::::, gshadow video:!::app,shop, gshadow media:!::shop", homes: "/srv 999:7"},
		{name: "a group by number that is there", base: base, users: []spec.User{{Name: "a", UID: "5", GID: "0"}},
			want: "passwd a:x:5:0::/home/a:/bin/sh, shadow a:!:::::::", homes: "/home/a 5:0"},
		{name: "a group by number that is not there", base: base, users: []spec.User{{Name: "a", UID: "5", GID: "6"}},
			want: "passwd a:x:5:6::/home/a:/bin/sh, group a:x:6:, shadow a:!:::::::, gshadow a:!::", homes: "/home/a 5:6"},
		{name: "of a group of its name", base: base, groups: []spec.Group{{Name: "a", GID: "5"}},
			users: []spec.User{{Name: "a", UID: "5"}},
			want:  "passwd a:x:5:5::/home/a:/bin/sh, group a:x:5:, shadow a:!:::::::, gshadow a:!::", homes: "/home/a 5:5"},
		{name: "no home", base: base, users: []spec.User{{Name: "a", UID: "5", GID: "0", Home: NoHome}},
			want: "passwd a:x:5:0::/nonexistent:/bin/sh, shadow a:!:::::::", homes: "/nonexistent 5:0"},
		{name: "of an empty base", users: []spec.User{{Name: "a", UID: "5"}},
			want: "passwd a:!:5:5::/home/a:/bin/sh, group a:!:5:", homes: "/home/a 5:5"},
		{name: "of an empty base, a group alone", groups: []spec.Group{{Name: "a", GID: "5"}}, want: "group a:!:5:"},
		{name: "of a file without an end", base: Files{Passwd: []byte("root:x:0:0:::"), Group: []byte("root:x:0:")},
			users: []spec.User{{Name: "a", UID: "5", GID: "0"}}, want: "passwd a:!:5:0::/home/a:/bin/sh", homes: "/home/a 5:0"},
		{name: "what is there", base: base, users: []spec.User{{Name: "app", UID: "1654"}, {Name: "news", UID: "9"}},
			groups: []spec.Group{{Name: "video", GID: "44"}}, there: "image.groups.0 image.users.0 image.users.1"},
		{name: "what is there, in full", base: base, users: []spec.User{
			{Name: "news", UID: "9", GID: "news", Home: "/var/news", Shell: "/bin/sh"}, {Name: "app", UID: "1654", GID: "1654"},
		}, there: "image.users.0 image.users.1"},
		{name: "what is there, in a group", base: base, users: []spec.User{
			{Name: "app", UID: "1654", Groups: []string{"video", "news"}},
		}, want: "group news:x:13:app", there: "image.users.0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Add(tc.base, tc.users, tc.groups)
			if err != nil {
				t.Fatal(err)
			}
			var changes []string
			for _, f := range []struct {
				name    string
				was, is []byte
			}{
				{"passwd", tc.base.Passwd, got.Passwd}, {"group", tc.base.Group, got.Group},
				{"shadow", tc.base.Shadow, got.Shadow}, {"gshadow", tc.base.GShadow, got.GShadow},
			} {
				was := strings.Split(string(f.was), "\n")
				for i, line := range strings.Split(string(f.is), "\n") {
					if line != "" && (i >= len(was) || was[i] != line) {
						changes = append(changes, f.name+" "+line)
					}
				}
				if string(f.was) != string(f.is) && !strings.HasSuffix(string(f.is), "\n") {
					t.Errorf("%s has no end: %q", f.name, f.is)
				}
			}
			if all := strings.Join(changes, ", "); all != tc.want {
				t.Errorf("changes\n%s\nwant\n%s", all, tc.want)
			}
			var homes []string
			for _, u := range got.Added {
				homes = append(homes, strings.Join([]string{u.Home, strconv.Itoa(u.UID) + ":" + strconv.Itoa(u.GID)}, " "))
			}
			if all := strings.Join(homes, ", "); all != tc.homes {
				t.Errorf("homes %s, want %s", all, tc.homes)
			}
			if all := strings.Join(got.Present, " "); all != tc.there {
				t.Errorf("present are %s, want %s", all, tc.there)
			}
		})
	}
}

func TestAddFails(t *testing.T) {
	for _, tc := range []struct {
		name   string
		users  []spec.User
		groups []spec.Group
		key    string
		want   string
	}{
		{name: "a name with another number", users: []spec.User{{Name: "app", UID: "5"}}, key: "image.users.0.uid",
			want: "the image has a user app with the number 1654: write uid: 1654, or choose another name"},
		{name: "a number with another name", users: []spec.User{{Name: "a", UID: "1654"}}, key: "image.users.0.uid",
			want: "1654 is the number of the user app: choose another number, or set image.user to app"},
		{name: "a group with another number", groups: []spec.Group{{Name: "video", GID: "5"}}, key: "image.groups.0.gid",
			want: "the image has a group video with the number 44: write gid: 44, or choose another name"},
		{name: "a number of another group", groups: []spec.Group{{Name: "a", GID: "44"}}, key: "image.groups.0.gid",
			want: "44 is the number of the group video: choose another number, or use that group"},
		{name: "no such main group", users: []spec.User{{Name: "a", UID: "5", GID: "b"}}, key: "image.users.0.gid",
			want: "there is no group b: the image has root, news, video, empty, app; add yours to image.groups"},
		{name: "no such further group", users: []spec.User{{Name: "a", UID: "5", GID: "0", Groups: []string{"0", "6"}}},
			key: "image.users.0.groups.1", want: "there is no group 6: the image has root, news, video, empty, app; " +
				"add yours to image.groups"},
		{name: "the number of its own group is taken", users: []spec.User{{Name: "a", UID: "44"}}, key: "image.users.0.uid",
			want: "44 is the number of the group video, so a gets no group of its own: set gid"},
		{name: "the name of its own group is taken", users: []spec.User{{Name: "video", UID: "5"}}, key: "image.users.0",
			want: "there is a group video with the number 44: set gid to that number, or choose another name"},
		{name: "another main group", users: []spec.User{{Name: "news", UID: "9", GID: "9"}}, key: "image.users.0.gid",
			want: "the image has a user news with gid 13: write that, or leave it out"},
		{name: "another home", users: []spec.User{{Name: "app", UID: "1654", Home: "/a"}}, key: "image.users.0.home",
			want: "the image has a user app with home /home/app: write that, or leave it out"},
		{name: "another shell", users: []spec.User{{Name: "app", UID: "1654", Shell: "/a"}}, key: "image.users.0.shell",
			want: "the image has a user app with shell /bin/sh: write that, or leave it out"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Add(base, tc.users, tc.groups)
			var wrong *Error
			if !errors.As(err, &wrong) || wrong.Key != tc.key || err.Error() != tc.want {
				t.Errorf("got %#v %v\nwant %s %s", wrong, err, tc.key, tc.want)
			}
		})
	}
	if _, err := Add(Files{}, []spec.User{{Name: "a", UID: "5", GID: "b"}}, nil); err == nil ||
		err.Error() != "there is no group b: the image has none; add yours to image.groups" {
		t.Error(err)
	}
}

func TestFind(t *testing.T) {
	a := &Accounts{Files: base}
	if u, ok := a.UserNamed("news"); !ok || u.UID != 9 || u.GID != 13 || u.Home != "/var/news" {
		t.Errorf("%+v", u)
	}
	if u, ok := a.UserNumbered("1654"); !ok || u.Name != "app" {
		t.Errorf("%+v", u)
	}
	if gid, ok := a.GroupNamed("empty"); !ok || gid != 45 {
		t.Errorf("group %d", gid)
	}
	for _, name := range []string{"# a remark", "nobody", ""} {
		if u, ok := a.UserNamed(name); ok {
			t.Errorf("%q is %+v", name, u)
		}
	}
	broken := &Accounts{Files: Files{Passwd: []byte("a:x:b:c:::\n"), Group: []byte("a:x:\n")}}
	if u, ok := broken.UserNamed("a"); ok {
		t.Errorf("%+v", u)
	}
	if _, ok := broken.GroupNamed("a"); ok {
		t.Error("a group without a number has one")
	}
}
