// Package run starts what was built, from the registry that it was pushed to: images for amd64 as containers under
// runc, images for arm64 on an emulated arm64 machine.
//
// Contract: [Container], [Machine] and [VM] run an image as `docker run` would, with its environment, user, working
// folder and command. With a port they wait until the app answers there, and then end it; without one they wait for
// its end. Nothing is left running, whatever happens. They need root, runc, and for the machine qemu-system-aarch64,
// cpio, tar and mmdebstrap: the lab's packages.
package run

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Spec is what to run.
type Spec struct {
	Ref      string   // image in a registry; on loopback plain HTTP is spoken
	Platform string   // for Container: of the image to take from an index; empty is linux/amd64
	Args     []string // in place of the image's CMD
	Env      []string // over the image's
	Port     int      // TCP port to ask by HTTP, 0 for none
	Path     string   // what to ask for; empty is /
}

// url is the address of the app, for a request from where it runs.
func (s Spec) url() string {
	return fmt.Sprintf("http://127.0.0.1:%d/%s", s.Port, strings.TrimPrefix(s.Path, "/"))
}

// Result is what the app printed, how it ended, and what it answered.
type Result struct {
	Output   string // stdout and stderr
	ExitCode int    // of an app that ended by itself
	Body     string // the answer, if there was a port
}

// process is the command that an image and a Spec give, with its environment.
type process struct {
	args     []string
	env      []string
	dir      string
	uid, gid int
}

// unpack puts the files of an image into root, and gives its process. Large layers are kept in cache.
func unpack(ctx context.Context, cache string, s Spec, platform, root string) (*process, error) {
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		return nil, err
	}
	ref, err := name.ParseReference(s.Ref, name.Insecure)
	if err != nil {
		return nil, err
	}
	img, err := remote.Image(ref, remote.WithContext(ctx), remote.WithPlatform(*p))
	if err != nil {
		return nil, fmt.Errorf("get %s for %s: %w", s.Ref, platform, err)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // holds nothing
	if err := unpackImage(img, r, layerCache(filepath.Join(cache, "layers"))); err != nil {
		return nil, fmt.Errorf("unpack %s: %w", s.Ref, err)
	}
	cfg, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	return newProcess(s, cfg.Config, root)
}

func newProcess(s Spec, cfg v1.Config, root string) (*process, error) {
	p := &process{dir: cfg.WorkingDir}
	if p.dir == "" {
		p.dir = "/"
	}
	cmd := cfg.Cmd
	if s.Args != nil {
		cmd = s.Args
	}
	p.args = append(append(p.args, cfg.Entrypoint...), cmd...)
	if len(p.args) == 0 {
		return nil, fmt.Errorf("%s has no command", s.Ref)
	}
	var err error
	if p.uid, p.gid, err = lookupUser(cfg.User, root); err != nil {
		return nil, err
	}
	home, _, err := homeOf(p.uid, root)
	if err != nil {
		return nil, err
	}
	// Docker adds these if the image does not set them.
	defaults := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + home}
	p.env = mergeEnv(defaults, mergeEnv(cfg.Env, s.Env))
	return p, nil
}

// mergeEnv gives the variables of base and over. Those of over win.
func mergeEnv(base, over []string) []string {
	var out []string
	index := map[string]int{}
	for _, kv := range append(append([]string{}, base...), over...) {
		k, _, _ := strings.Cut(kv, "=")
		if i, ok := index[k]; ok {
			out[i] = kv
			continue
		}
		index[k] = len(out)
		out = append(out, kv)
	}
	return out
}

// lookupUser resolves USER[:GROUP], names by the image's own /etc/passwd and /etc/group.
func lookupUser(user, root string) (uid, gid int, err error) {
	user, group, _ := strings.Cut(user, ":")
	if user == "" {
		user = "0"
	}
	uid, numeric := number(user)
	found := false
	err = entries(root, "etc/passwd", func(f []string) {
		if len(f) > 3 && !found && (f[0] == user || numeric && f[2] == user) {
			found = true
			uid, _ = number(f[2])
			gid, _ = number(f[3])
		}
	})
	if err != nil {
		return 0, 0, err
	}
	if !found && !numeric {
		return 0, 0, fmt.Errorf("the image has no user %q", user)
	}
	if group == "" {
		return uid, gid, nil
	}
	gid, numeric = number(group)
	found = false
	err = entries(root, "etc/group", func(f []string) {
		if len(f) > 2 && f[0] == group {
			found = true
			gid, _ = number(f[2])
		}
	})
	if err == nil && !found && !numeric {
		err = fmt.Errorf("the image has no group %q", group)
	}
	return uid, gid, err
}

// homeOf gives the home folder of a user, and whether the image's /etc/passwd knows the user.
func homeOf(uid int, root string) (home string, known bool, err error) {
	home = "/"
	err = entries(root, "etc/passwd", func(f []string) {
		if len(f) > 5 && !known && f[2] == strconv.Itoa(uid) {
			home, known = f[5], true
		}
	})
	return home, known, err
}

func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// entries calls fn with the fields of each line of a file of the image. A missing file has no lines.
func entries(root, file string, fn func(fields []string)) error {
	r, err := os.OpenRoot(root)
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // holds nothing
	if file, err = resolve(r, file); err != nil {
		return err
	}
	f, err := r.Open(file)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		fn(strings.Split(sc.Text(), ":"))
	}
	return sc.Err()
}

// tail is the end of an output, for errors.
func tail(s string) string {
	const most = 4000
	if len(s) > most {
		return "…" + s[len(s)-most:]
	}
	return s
}
