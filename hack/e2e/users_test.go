package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	digest "github.com/opencontainers/go-digest"

	"github.com/crosshull/crosshull/frontend"
	"github.com/crosshull/crosshull/hack/inprocess"
	"github.com/crosshull/crosshull/hack/lab/run"
)

// An app runs as a user that its base does not have, on both architectures. The layer of the users lies right on the
// base, is the same for all platforms, and stays when a source is edited.
func TestUsers(t *testing.T) {
	t.Parallel()
	dir, repo := example(t, "users"), repository(t)
	mustSolve(t, dir, platform(allPlatforms), pushTo(repo))
	_, images := index(t, repo)
	users := func(img pushed) digest.Digest { return img.Layers[len(img.Layers)-3].Digest } // below files and app
	for platform, img := range images {
		if is := users(img); is != users(images["linux/amd64"]) {
			t.Errorf("the users of %s have layer %s", platform, is)
		}
		if img.Config.Config.User != "shop" {
			t.Errorf("user %q", img.Config.Config.User)
		}
	}
	got := map[string]string{}
	eachEntry(t, repo, users(images["linux/arm64"]).String(), func(h *tar.Header, r io.Reader) {
		dt, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got[path.Clean(h.Name)] = fmt.Sprintf("%04o %d:%d %d %s", h.Mode, h.Uid, h.Gid, h.ModTime.UTC().Year(), dt)
	})
	// What a file begins and ends with: the lines of the base are between.
	want := map[string][2]string{
		"etc":         {"0755 0:0 1980 ", ""},
		"etc/group":   {"0644 0:0 1980 root:x:0:\n", "\napp:x:1654:\nmedia:x:10100:shop\nshop:x:10001:\n"},
		"etc/gshadow": {"0640 0:42 1980 root:*::\n", "\napp:!::\nmedia:!::shop\nshop:!::\n"},
		"etc/passwd":  {"0644 0:0 1980 root:x:0:0:", "\nshop:x:10001:10001::/home/shop:/bin/sh\n"},
		"etc/shadow":  {"0640 0:42 1980 root:*:", "\nshop:!::0:99999:7:::\n"},
		"home":        {"0755 0:0 1980 ", ""},
		"home/shop":   {"0755 10001:10001 1980 ", ""},
	}
	for name, w := range want {
		if !strings.HasPrefix(got[name], w[0]) || !strings.HasSuffix(got[name], w[1]) {
			t.Errorf("%s has\n%q, want\n%q … %q", name, got[name], w[0], w[1])
		}
	}
	if len(got) != len(want) {
		t.Errorf("the layer has %q", slices.Sorted(maps.Keys(got)))
	}
	wantContains(t, "output on amd64", container(t, repo).Output,
		"shop on X64, home /home/shop", "/home/shop/note.txt: written", "/data/note.txt: written")
	wantContains(t, "output on arm64", runMachine(t, run.Spec{Ref: repo}).Output,
		"shop on Arm64, home /home/shop", "/home/shop/note.txt: written", "/data/note.txt: written")

	edit(t, dir, "Program.cs", "written\\n", "changed\\n")
	mustSolve(t, dir, platform(allPlatforms), pushTo(repo+"/edited"))
	_, edited := index(t, repo+"/edited")
	if is := users(edited["linux/arm64"]); is != users(images["linux/arm64"]) {
		t.Errorf("an edit of a source changes the layer of the users: %s", is)
	}
}

// accountsBase is a base as Debian's: with shadow files, groups with members, and a home folder that is there.
var accountsBase = map[string]string{
	"etc/passwd": "root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n" +
		"app:x:1654:1654::/home/app:/bin/sh\n",
	"etc/group":   "root:x:0:\nvideo:x:44:app\nshadow:x:42:\nwww-data:x:33:\napp:x:1654:\n",
	"etc/shadow":  "root:*:19000:0:99999:7:::\nwww-data:*:19000:0:99999:7:::\napp:!:19000::::::\n",
	"etc/gshadow": "root:*::\nvideo:!::app\nshadow:*::\nwww-data:*::\napp:!::\n",
}

// The files in /etc are what useradd and groupadd of this machine's Debian make of those of the base, byte by byte,
// with merge support and without. They and the home folders have the modes and the owners that these commands give
// them. The Dockerfile of the spec builds the same files.
func TestUsersAreThoseOfUseradd(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, image string
		commands    [][]string
	}{
		{
			"a user", "users: [{name: shop, uid: 10001}]",
			[][]string{{"useradd", "-m", "-U", "-u", "10001", "shop"}},
		},
		{
			"all fields",
			"groups: [{name: media, gid: 10100}], users: [{name: shop, uid: 10001, gid: 0, groups: [video, media, 33], " +
				"home: /srv/a/shop, shell: /usr/sbin/nologin}]",
			[][]string{
				{"groupadd", "-g", "10100", "media"},
				{"mkdir", "-p", "srv/a"},
				{"useradd", "-m", "-u", "10001", "-g", "0", "-G", "video,media,33", "-d", "/srv/a/shop",
					"-s", "/usr/sbin/nologin", "shop"},
			},
		},
		{
			"two users, one of the system, in a group that is made with another number",
			"users: [{name: one, uid: 10001, gid: 10200, groups: [app]}, " +
				"{name: daemon2, uid: 200, gid: one, home: /nonexistent}]",
			[][]string{
				{"groupadd", "-g", "10200", "one"},
				{"useradd", "-m", "-u", "10001", "-g", "10200", "-G", "app", "one"},
				{"useradd", "--system", "-u", "200", "-g", "one", "-d", "/nonexistent", "daemon2"},
			},
		},
		{
			"a user that is there, in a further group", "users: [{name: app, uid: 1654, groups: [video, www-data]}]",
			[][]string{{"usermod", "-a", "-G", "video,www-data", "app"}},
		},
		{
			"a group alone", "groups: [{name: media, gid: 10100}, {name: video, gid: 44}]",
			[][]string{{"groupadd", "-g", "10100", "media"}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := sharedHello(t)
			base := pushAccounts(t)
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n# check=skip=RuntimeMismatch\n"+
				"base: {image: '"+base+"'}\nimage: {"+tc.image+"}\n")
			want := useradd(t, tc.commands)
			for what, opts := range map[string][]option{"merged": nil, "copied": {without(pb.CapMergeOp)}} {
				var b bytes.Buffer
				mustSolve(t, dir, append(opts, platform("linux/amd64"), tarTo(&b))...)
				wantSame(t, what, accountsOf(t, b.Bytes()), want)
			}
			text := callInProcess(t, dir, "dockerfile")
			write(t, dir, "Dockerfile", strings.TrimPrefix(text, "# syntax=docker/dockerfile:1\n"))
			wantSame(t, text, buildAccounts(t, dir), want)
		})
	}
}

// pushAccounts pushes a base with accountsBase.
func pushAccounts(t *testing.T) (ref string) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, dir := range []string{"etc", "home", "srv"} {
		writeHeader(t, w, &tar.Header{Name: dir, Typeflag: tar.TypeDir, Mode: 0o755})
	}
	writeHeader(t, w, &tar.Header{Name: "home/app", Typeflag: tar.TypeDir, Mode: 0o750, Uid: 1654, Gid: 1654})
	for _, name := range slices.Sorted(maps.Keys(accountsBase)) {
		h := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(accountsBase[name]))}
		if strings.HasSuffix(name, "shadow") {
			h.Mode, h.Gid = 0o640, 42
		}
		writeHeader(t, w, h)
		if _, err := io.WriteString(w, accountsBase[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	ref, _ = pushImage(t, b.Bytes(), v1.Config{})
	return ref
}

func writeHeader(t *testing.T, w *tar.Writer, h *tar.Header) {
	t.Helper()
	h.ModTime = baseTime
	if err := w.WriteHeader(h); err != nil {
		t.Fatal(err)
	}
}

// useradd runs the commands of Debian on the files of accountsBase. With an epoch of 0, they write no date.
func useradd(t *testing.T, commands [][]string) map[string]string {
	t.Helper()
	root := t.TempDir()
	for name, text := range accountsBase {
		write(t, root, name, text)
		if strings.HasSuffix(name, "shadow") {
			command(t, root, "chown", "0:42", name)
			command(t, root, "chmod", "0640", name)
		}
	}
	command(t, root, "mkdir", "-p", "home/app", "srv", "etc/default", "usr/sbin")
	command(t, root, "install", "-d", "-m", "0750", "-o", "1654", "-g", "1654", "home/app")
	command(t, root, "touch", "usr/sbin/nologin")
	for _, name := range []string{"etc/login.defs", "etc/default/useradd"} {
		dt, err := os.ReadFile("/" + name)
		if err != nil {
			t.Fatalf("%v: the packages passwd and login have it", err)
		}
		write(t, root, name, string(dt))
	}
	for _, words := range commands {
		if words[0] == "mkdir" {
			command(t, root, words[0], words[1:]...)
			continue
		}
		args := append([]string{"SOURCE_DATE_EPOCH=0", words[0], "--root", root}, words[1:]...)
		command(t, root, "env", args...)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, name := range []string{"etc/passwd", "etc/group", "etc/shadow", "etc/gshadow", "home", "srv"} {
		err := filepath.WalkDir(filepath.Join(root, name), func(file string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			h, err := tar.FileInfoHeader(info, "")
			if err != nil {
				return err
			}
			if h.Name, err = filepath.Rel(root, file); err != nil {
				return err
			}
			if err := w.WriteHeader(h); err != nil || d.IsDir() {
				return err
			}
			dt, err := os.ReadFile(file)
			if err == nil {
				_, err = w.Write(dt)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return accountsOf(t, b.Bytes())
}

// accountsOf are the files that list users, and the folders for them, in an archive.
func accountsOf(t *testing.T, archive []byte) map[string]string {
	t.Helper()
	got := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(archive)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		name := path.Clean(h.Name)
		if !strings.HasPrefix(name, "etc/") && !strings.HasPrefix(name, "home") && !strings.HasPrefix(name, "srv") {
			continue
		}
		dt, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got[name] = fmt.Sprintf("%04o %d:%d\n%s", h.Mode&0o7777, h.Uid, h.Gid, dt)
	}
}

// callInProcess gives the answer to a call, for linux/amd64.
func callInProcess(t *testing.T, dir, name string) (text string) {
	t.Helper()
	ctx, waited := waiting(t, "build")
	defer waited()
	mounts, err := inprocess.Mounts(map[string]string{"context": dir, "dockerfile": dir})
	if err != nil {
		t.Fatal(err)
	}
	so := client.SolveOpt{LocalMounts: mounts, SharedKey: dir, FrontendAttrs: map[string]string{
		"filename": "crosshull.yaml", "platform": "linux/amd64", "requestid": "frontend." + name,
	}}
	answer := func(ctx context.Context, gc gateway.Client) (*gateway.Result, error) {
		res, err := frontend.Build(ctx, gc)
		if err != nil {
			return nil, err
		}
		text = string(res.Metadata["result.txt"])
		return gateway.NewResult(), nil
	}
	if _, err := inprocess.Solve(ctx, theLab.BuildkitAddr(), so, answer); err != nil {
		t.Fatal(err)
	}
	return text
}

// buildAccounts builds a Dockerfile with the frontend that the builder has, and gives the files that list users.
func buildAccounts(t *testing.T, dir string) map[string]string {
	t.Helper()
	archive, err := archiveOfDockerfile(t, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return accountsOf(t, archive.Bytes())
}
