// Package accounts adds users and groups to the files of an image that list them.
//
// Contract: pure. [Add] takes the files of a base, and what the spec adds. It gives the files as groupadd and useradd
// of Debian would leave them (shadow-utils), without the date of the day. It leaves out /etc/subuid and /etc/subgid,
// which useradd also writes. It knows no LLB, and keeps every line that it does not have to change.
package accounts

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crosshull/crosshull/frontend/spec"
)

// Files are the contents of the files in /etc that list users and groups. A file that is nil is not in the image.
type Files struct{ Passwd, Group, Shadow, GShadow []byte }

// Accounts are the users and groups of an image.
type Accounts struct {
	Files
	// Added are the users that the base does not have.
	Added []User
	// Present are the keys of entries that the base has already, such as "image.users.0".
	Present []string
}

// User is a user of an image.
type User struct {
	// Key is the entry of the spec, such as "image.users.0"; empty for a user of the base.
	Key      string
	Name     string
	UID, GID int
	Home     string
}

// Error is a mistake at a key of the spec, such as "image.users.0.uid".
type Error struct {
	Key string
	Err error
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

func wrong(key, format string, args ...any) error { return &Error{key, fmt.Errorf(format, args...)} }

// The numbers of the fields of a line.
const (
	nameField = 0
	idField   = 2 // of passwd and group
	mainField = 3 // the main group, in passwd
	homeField = 5 // in passwd
	members   = 3 // in group and gshadow
)

// NoHome is a home folder that Debian gives to users without one. It is never made.
const NoHome = "/nonexistent"

// Add adds groups and users to those of a base. The error is an [Error].
func Add(base Files, users []spec.User, groups []spec.Group) (*Accounts, error) {
	a := &adder{
		passwd: newTable(base.Passwd), group: newTable(base.Group),
		shadow: newTable(base.Shadow), gshadow: newTable(base.GShadow),
	}
	for i, g := range groups {
		if err := a.addGroup(fmt.Sprintf("image.groups.%d", i), g); err != nil {
			return nil, err
		}
	}
	for i, u := range users {
		if err := a.addUser(fmt.Sprintf("image.users.%d", i), u); err != nil {
			return nil, err
		}
	}
	a.made.Files = Files{a.passwd.bytes(), a.group.bytes(), a.shadow.bytes(), a.gshadow.bytes()}
	return &a.made, nil
}

// adder holds the files while they grow.
type adder struct {
	passwd, group, shadow, gshadow *table
	made                           Accounts
}

// addGroup adds an entry of image.groups.
func (a *adder) addGroup(key string, g spec.Group) error {
	switch has := a.group.named(g.Name); {
	case has != nil && has.field(idField) == g.GID:
		a.made.Present = append(a.made.Present, key)
		return nil
	case has != nil:
		const other = "the image has a group %s with the number %s: write gid: %s, or choose another name"
		return wrong(key+".gid", other, g.Name, show(has.field(idField)), show(has.field(idField)))
	}
	if has := a.group.numbered(g.GID); has != nil {
		const taken = "%s is the number of the group %s: choose another number, or use that group"
		return wrong(key+".gid", taken, g.GID, show(has.name()))
	}
	a.newGroup(g.Name, g.GID)
	return nil
}

// newGroup adds a group as groupadd does.
func (a *adder) newGroup(name, gid string) {
	password := "!"
	if a.gshadow.there {
		password = "x"
		a.gshadow.add(name, "!", "", "")
	}
	a.group.add(name, password, gid, "")
}

// addUser adds an entry of image.users.
func (a *adder) addUser(key string, u spec.User) error {
	has := a.passwd.named(u.Name)
	switch {
	case has != nil && has.field(idField) != u.UID:
		const other = "the image has a user %s with the number %s: write uid: %s, or choose another name"
		return wrong(key+".uid", other, u.Name, show(has.field(idField)), show(has.field(idField)))
	case has != nil:
		a.made.Present = append(a.made.Present, key)
		if err := a.same(key, u, has); err != nil {
			return err
		}
	default:
		if taken := a.passwd.numbered(u.UID); taken != nil {
			const says = "%s is the number of the user %s: choose another number, or set image.user to %s"
			return wrong(key+".uid", says, u.UID, show(taken.name()), show(taken.name()))
		}
		gid, err := a.mainGroup(key, u)
		if err != nil {
			return err
		}
		a.newUser(key, u, gid)
	}
	for i, g := range u.Groups {
		l := a.group.find(g)
		if l == nil {
			return wrong(fmt.Sprintf("%s.groups.%d", key, i), "%s", a.noGroup(g))
		}
		a.group.join(l, u.Name)
		a.gshadow.join(a.gshadow.named(l.name()), u.Name)
	}
	return nil
}

// same checks that a user of the base is what the spec says.
func (a *adder) same(key string, u spec.User, has *line) error {
	const says = "the image has a user %s with %s %s: write that, or leave it out"
	if u.GID != "" {
		l := a.group.find(u.GID)
		if is := has.field(mainField); is != u.GID && (l == nil || is != l.field(idField)) {
			return wrong(key+".gid", says, u.Name, "gid", show(is))
		}
	}
	if is := has.field(homeField); u.Home != "" && is != u.Home {
		return wrong(key+".home", says, u.Name, "home", show(is))
	}
	if is := has.field(homeField + 1); u.Shell != "" && is != u.Shell {
		return wrong(key+".shell", says, u.Name, "shell", show(is))
	}
	return nil
}

// mainGroup gives the number of the main group of a new user. It adds the group if there is none.
func (a *adder) mainGroup(key string, u spec.User) (string, error) {
	own := u.GID
	if own == "" {
		own = u.UID
	}
	if l := a.group.find(own); l != nil {
		if u.GID == "" && l.name() != u.Name {
			const says = "%s is the number of the group %s, so %s gets no group of its own: set gid"
			return "", wrong(key+".uid", says, own, show(l.name()), u.Name)
		}
		return l.field(idField), nil
	}
	if _, err := strconv.Atoi(own); err != nil {
		return "", wrong(key+".gid", "%s", a.noGroup(own))
	}
	if l := a.group.named(u.Name); l != nil {
		const says = "there is a group %s with the number %s: set gid to that number, or choose another name"
		return "", wrong(key, says, u.Name, show(l.field(idField)))
	}
	a.newGroup(u.Name, own)
	return own, nil
}

// newUser adds a user as useradd does.
func (a *adder) newUser(key string, u spec.User, gid string) {
	home, shell := u.Home, u.Shell
	if home == "" {
		home = "/home/" + u.Name
	}
	if shell == "" {
		shell = "/bin/sh"
	}
	password := "!"
	uid, main := number(u.UID), number(gid)
	if a.shadow.there {
		password = "x"
		if uid < 1000 { // as useradd --system
			a.shadow.add(u.Name, "!", "", "", "", "", "", "", "")
		} else {
			a.shadow.add(u.Name, "!", "", "0", "99999", "7", "", "", "")
		}
	}
	a.passwd.add(u.Name, password, u.UID, gid, "", home, shell)
	a.made.Added = append(a.made.Added, User{key, u.Name, uid, main, home})
}

func (a *adder) noGroup(name string) string {
	return fmt.Sprintf("there is no group %s: the image has %s; add yours to image.groups", name, known(a.group))
}

// UserNamed gives a user by name.
func (a *Accounts) UserNamed(name string) (User, bool) { return user(newTable(a.Passwd).named(name)) }

// UserNumbered gives a user by number.
func (a *Accounts) UserNumbered(uid string) (User, bool) {
	return user(newTable(a.Passwd).numbered(uid))
}

func user(l *line) (User, bool) {
	if l == nil {
		return User{}, false
	}
	uid, err := strconv.Atoi(l.field(idField))
	gid, err2 := strconv.Atoi(l.field(mainField))
	if err != nil || err2 != nil {
		return User{}, false
	}
	return User{Name: l.name(), UID: uid, GID: gid, Home: l.field(homeField)}, true
}

// GroupNamed gives the number of a group by name.
func (a *Accounts) GroupNamed(name string) (gid int, ok bool) {
	l := newTable(a.Group).named(name)
	if l == nil {
		return 0, false
	}
	gid, err := strconv.Atoi(l.field(idField))
	return gid, err == nil
}

// UserNames are the names of all users, as text for people.
func (a *Accounts) UserNames() string { return known(newTable(a.Passwd)) }

// GroupNames are the names of all groups, as text for people.
func (a *Accounts) GroupNames() string { return known(newTable(a.Group)) }

// known are the names in a file, as text for people.
func known(t *table) string {
	var names []string
	for _, l := range t.lines {
		if name := l.name(); name != "" && len(l.fields) > 1 && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return show(strings.Join(names, ", "))
}

// show is a text of the base for people.
func show(s string) string { return spec.OneLine(s, 500) }

// number is a number that a rule of the spec allows, or that [table.numbered] has found.
func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
