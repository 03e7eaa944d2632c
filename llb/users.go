package llb

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client/llb"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/accounts"
)

// PhaseUsers is the part of PhaseImage that comes from image.users and image.groups.
const PhaseUsers = "image users"

// Read gives the content of a file at an absolute path.
type Read func(ctx context.Context, path string) ([]byte, error)

// Users are the users and groups of an image: those of its base, and those that the spec adds.
type Users struct {
	accounts.Accounts
	// nodes are the files and folders that the layer of the users has, by path.
	nodes map[string]node
	// own are the names of users in the spec.
	own []string
}

// node is a file of a layer, or a folder if folder is set.
type node struct {
	mode     os.FileMode // as chmod takes it
	uid, gid int
	folder   bool
	ofBase   bool // a folder of the base, which is there only because of what is in it
	data     []byte
}

// MustKnowUsers tells whether an image needs [Users]: if the spec adds some, or if a name decides the owner of a file.
// user is the user that the image runs as.
func MustKnowUsers(image spec.Image, files []spec.File, user string) bool {
	if len(image.Users)+len(image.Groups) > 0 {
		return true
	}
	return slices.ContainsFunc(files, func(f spec.File) bool {
		owner := f.Owner
		if forUser(f) {
			owner = user
		}
		name, group, _ := strings.Cut(owner, ":")
		return isName(name) || isName(group)
	})
}

// isName tells whether a user or a group is not a number. Root needs no file to have a number.
func isName(s string) bool {
	return s != "" && s != "root" && strings.Trim(s, "0123456789") != ""
}

// The files that list users and groups.
const (
	passwdFile  = "/etc/passwd"
	groupFile   = "/etc/group"
	shadowFile  = "/etc/shadow"
	gshadowFile = "/etc/gshadow"
)

// LookAtUsers finds out which users a base has, and adds those of the spec. base and read are nil if the base is empty.
// The error is an [accounts.Error] if the spec cannot be right for the base.
func LookAtUsers(ctx context.Context, base Stat, read Read, image spec.Image) (*Users, error) {
	var was accounts.Files
	files := []struct {
		path string
		was  *[]byte
	}{{passwdFile, &was.Passwd}, {groupFile, &was.Group}, {shadowFile, &was.Shadow}, {gshadowFile, &was.GShadow}}
	base = once(base)
	spots := map[string]Spot{}
	for _, f := range files {
		spot, err := follow(ctx, f.path, base)
		if err != nil {
			return nil, err
		}
		if spots[f.path] = spot; spot.Stat == nil {
			continue
		}
		if !mode(spot.Stat).IsRegular() {
			return nil, fmt.Errorf("%s is no file", f.path)
		}
		data, err := read(ctx, spot.Path)
		if err != nil {
			return nil, err
		}
		*f.was = append([]byte{}, data...) // not nil: the file is there
	}
	added, err := accounts.Add(was, image.Users, image.Groups)
	if err != nil {
		return nil, err
	}
	u := &Users{Accounts: *added, nodes: map[string]node{}}
	for _, user := range image.Users {
		u.own = append(u.own, user.Name)
	}
	for i, is := range [][]byte{u.Passwd, u.Group, u.Shadow, u.GShadow} {
		if !bytes.Equal(is, *files[i].was) {
			spot := spots[files[i].path]
			n := node{mode: 0o644}
			if spot.Stat != nil {
				n = nodeOf(spot.Stat)
			}
			n.data = is
			u.nodes[spot.Path] = n
		}
	}
	if err := u.addHomes(ctx, base); err != nil {
		return nil, err
	}
	return u, u.addParents(ctx, base)
}

// addHomes adds the home folders that the base does not have.
func (u *Users) addHomes(ctx context.Context, base Stat) error {
	for _, user := range u.Added {
		if path.Clean(user.Home) == accounts.NoHome {
			continue
		}
		spot, err := follow(ctx, clean(user.Home), base)
		if err != nil {
			return err
		}
		stuck := spot.Taken && spot.Stat == nil && spot.Folder == "" && path.Dir(spot.Path) != "/"
		if spot.Stat != nil && !isFolder(spot.Stat) || stuck {
			return &accounts.Error{Key: user.Key + ".home", Err: fmt.Errorf("the base has no folder at %s, and none can be "+
				"made: a file is in the way", user.Home)}
		}
		if _, made := u.nodes[spot.Path]; !made && spot.Stat == nil && spot.Path != "/" {
			u.nodes[spot.Path] = node{mode: 0o755, uid: user.UID, gid: user.GID, folder: true}
		}
	}
	return nil
}

// addParents adds the folders above all nodes. Those of the base keep their mode and owner.
func (u *Users) addParents(ctx context.Context, base Stat) error {
	for _, p := range slices.Collect(maps.Keys(u.nodes)) {
		for p = path.Dir(p); p != "/"; p = path.Dir(p) {
			if _, ok := u.nodes[p]; ok {
				continue
			}
			n := node{mode: 0o755, folder: true}
			if base != nil {
				st, err := base(ctx, p)
				if err != nil {
					return err
				}
				if st != nil {
					n = nodeOf(st)
					n.ofBase = true
				}
			}
			u.nodes[p] = n
		}
	}
	return nil
}

func nodeOf(st *fstypes.Stat) node {
	return node{mode: unixMode(mode(st)), uid: int(st.Uid), gid: int(st.Gid), folder: isFolder(st)}
}

// Adds tells whether the image gets a layer for its users.
func (u *Users) Adds() bool { return u != nil && len(u.nodes) > 0 }

// SameLayer tells whether two images get the same layer for their users, or none.
func (u *Users) SameLayer(other *Users) bool {
	if !u.Adds() || !other.Adds() {
		return u.Adds() == other.Adds()
	}
	return reflect.DeepEqual(u.nodes, other.nodes)
}

// UserFile is a file that lists users. If Data is nil, it is a home folder, or a new folder above a file or a home.
type UserFile struct {
	Path     string
	Mode     os.FileMode // as chmod takes it
	UID, GID int
	Data     []byte
}

// Made are the files that the layer of the users has, and the folders that the base does not have, sorted by path.
func (u *Users) Made() []UserFile {
	var all []UserFile
	if !u.Adds() {
		return nil
	}
	for _, p := range slices.Sorted(maps.Keys(u.nodes)) {
		if n := u.nodes[p]; !n.ofBase {
			all = append(all, UserFile{p, n.mode, n.uid, n.gid, n.data})
		}
	}
	return all
}

// Over tells what is at a path of a base, once the layer of the users is on it. base is nil if nothing is there, or if
// nobody looks at it.
func (u *Users) Over(base Stat) Stat {
	if !u.Adds() {
		return base
	}
	return func(ctx context.Context, p string) (*fstypes.Stat, error) {
		n, ok := u.nodes[p]
		switch {
		case !ok && base == nil:
			return nil, nil
		case !ok:
			return base(ctx, p)
		}
		st := &fstypes.Stat{Path: path.Base(p), Mode: uint32(fileMode(n.mode)), Uid: uint32(n.uid), Gid: uint32(n.gid)}
		if n.folder {
			st.Mode |= uint32(os.ModeDir)
		}
		return st, nil
	}
}

// fileMode is the reverse of [unixMode].
func fileMode(unix os.FileMode) os.FileMode {
	m := unix & os.ModePerm
	for bit, mode := range map[os.FileMode]os.FileMode{
		0o4000: os.ModeSetuid, 0o2000: os.ModeSetgid, 0o1000: os.ModeSticky,
	} {
		if unix&bit != 0 {
			m |= mode
		}
	}
	return m
}

// Users is the layer of an image's users. It has nothing of the base but the files that list users, and so it is the
// same for all platforms whose bases have the same users.
func (b *Builder) Users(u *Users) Layer {
	var action *llb.FileAction
	var folders []string
	for _, p := range slices.Sorted(maps.Keys(u.nodes)) {
		n := u.nodes[p]
		owner := &llb.ChownOpt{User: &llb.UserOpt{UID: n.uid}, Group: &llb.UserOpt{UID: n.gid}}
		if n.folder {
			info := &llb.CopyInfo{
				Mode: &llb.ChmodOpt{Mode: n.mode}, ChownOpt: owner, CopyDirContentsOnly: true, CreatedTime: &fileTime,
			}
			action = folder(action, Spot{Path: p, Folder: path.Dir(p)}, info) // which is among the nodes
			folders = append(folders, p)
			continue
		}
		action = action.Mkfile(p, n.mode, n.data, llb.WithCreatedTime(fileTime), llb.WithUIDGID(n.uid, n.gid))
	}
	for _, p := range folders {
		action = touch(action, p)
	}
	name := llb.WithCustomName("[image] add users")
	st := llb.Scratch().File(action, append(b.Constraints(PhaseUsers), name)...)
	return Layer{State: st, phase: PhaseUsers, name: "users"}
}

// Owned gives files of the spec whose owners by name have the numbers of u. user is the user that the image runs as.
// The error is an [accounts.Error].
func (u *Users) Owned(files []spec.File, user string) ([]spec.File, error) {
	owned := slices.Clone(files)
	for i, f := range files {
		owner, key := f.Owner, fmt.Sprintf("files.%d.owner", i)
		asUser := forUser(f) && (f.Owner == "" || !slices.Contains(u.own, f.Owner))
		if asUser {
			owner, key = user, "image.user"
		}
		name, group, both := strings.Cut(owner, ":")
		if has, ok := u.UserNumbered(name); ok && asUser && !both && slices.Contains(u.own, has.Name) {
			name = has.Name // whose group may have another number
		}
		if !isName(name) && !isName(group) {
			continue
		}
		uid, gid, err := u.numbers(name, group)
		if err != nil {
			return nil, &accounts.Error{Key: key, Err: err}
		}
		owned[i].Owner = fmt.Sprintf("%d:%d", uid, gid)
	}
	return owned, nil
}

// numbers gives the numbers of a user and a group. Without a group it is that of the user.
func (u *Users) numbers(name, group string) (uid, gid int, err error) {
	if uid, err = strconv.Atoi(name); err != nil {
		if uid, gid, err = u.named(name); err != nil {
			return 0, 0, err
		}
	}
	if group == "" {
		return uid, gid, nil
	}
	if gid, err = strconv.Atoi(group); err != nil {
		gid, err = u.group(group)
	}
	return uid, gid, err
}

// named gives the numbers of a user and of its main group.
func (u *Users) named(name string) (uid, gid int, err error) {
	has, ok := u.UserNamed(name)
	if !ok && name != "root" {
		const says = "there is no user %s: the image has %s; add yours to image.users"
		return 0, 0, fmt.Errorf(says, spec.OneLine(name, 100), u.UserNames())
	}
	return has.UID, has.GID, nil
}

// group gives the number of a group.
func (u *Users) group(name string) (int, error) {
	gid, ok := u.GroupNamed(name)
	if !ok && name != "root" {
		const says = "there is no group %s: the image has %s; add yours to image.groups"
		return 0, fmt.Errorf(says, spec.OneLine(name, 100), u.GroupNames())
	}
	return gid, nil
}

// Check gives an error if an image runs as a user by a name that u does not have. A file of the spec may replace
// the list of users, and then Check knows nothing. The error is an [accounts.Error].
func (u *Users) Check(user string, files []spec.File) error {
	replaced := slices.ContainsFunc(files, func(f spec.File) bool {
		to := clean(cmp.Or(f.Link, f.To))
		puts := f.Kind() == spec.Copies || f.Kind() == spec.Links
		return puts && (Within(to, passwdFile) || Within(to, groupFile))
	})
	name, group, _ := strings.Cut(user, ":")
	if replaced || !isName(name) && !isName(group) {
		return nil
	}
	if _, _, err := u.numbers(name, group); err != nil {
		return &accounts.Error{Key: "image.user", Err: err}
	}
	return nil
}
