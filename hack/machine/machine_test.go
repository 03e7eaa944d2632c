package machine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	tests, demo := []Place{Lab, Engine}, []Place{Engine, Lab}
	none := errors.New("there is no docker on PATH")
	buildx := errors.New("docker has no buildx")
	for _, tc := range []struct {
		name    string
		machine Machine
		tests   Place // "": neither
		demo    Place
		says    []string // by the error, if there is neither
	}{
		{"root on Debian", Machine{Root: true, Docker: none}, Lab, Lab, nil},
		{"root on Debian with Docker", Machine{Root: true}, Lab, Engine, nil},
		{"root on Debian with Docker without buildx", Machine{Root: true, Buildx: buildx}, Lab, Lab, nil},
		{"root elsewhere with Docker", Machine{Root: true, Missing: []string{"runc"}}, Engine, Engine, nil},
		{"root elsewhere", Machine{Root: true, Missing: []string{"runc", "skopeo"}, Docker: none}, "", "", []string{
			"a lab: there is no apt-get to install what it needs; install: runc, skopeo",
			"a Docker engine: there is no docker on PATH",
		}},
		{"user with Docker", Machine{}, Engine, Engine, nil},
		{"user with Docker without buildx", Machine{Buildx: buildx}, "", "", []string{
			"a Docker engine: docker has no buildx", "a lab: only root can set one up, on Debian or Ubuntu",
		}},
		{"user", Machine{Docker: none}, "", "", []string{
			"a Docker engine: there is no docker on PATH", "a lab: only root can set one up, on Debian or Ubuntu",
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, run := range []struct {
				order []Place
				want  Place
			}{{tests, tc.tests}, {demo, tc.demo}} {
				got, err := tc.machine.Choose(run.order...)
				if got.Place != run.want || (err == nil) != (run.want != "") {
					t.Errorf("%q: got %q, %v; want %q", run.order, got.Place, err, run.want)
				}
				if want := map[bool]int{true: 1}[got.Place == run.order[1]]; len(got.Instead) != want {
					t.Errorf("%q: instead of %v", run.order, got.Instead)
				}
				for _, want := range tc.says {
					if err != nil && !strings.Contains(err.Error(), want) {
						t.Errorf("%q: error %q has no %q", run.order, err, want)
					}
				}
			}
		})
	}
}

// What docker prints where something is missing, as its version 28 does.
func TestLook(t *testing.T) {
	for _, tc := range []struct {
		name, docker   string // a script; "": there is no docker
		engine, buildx string // what is said to be missing; "": it is there
	}{
		{"no docker", "", "there is no docker on PATH; install Docker: https://docs.docker.com/get-started/get-docker/", ""},
		{"stopped", "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1",
			"none answers; start Docker, or set DOCKER_HOST or a docker context: docker version --format " +
				"{{.Server.Version}}: exit status 1: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.", ""},
		{"not in the group", "echo 'permission denied while trying to connect to the Docker daemon socket' >&2; exit 1",
			"you may not use it; join its group: https://docs.docker.com/engine/install/linux-postinstall/", ""},
		{"no buildx", "[ $1 = version ] || { echo \"docker: 'buildx' is not a docker command.\" >&2; exit 1; }", "",
			"docker has no buildx; install buildx: https://docs.docker.com/build/install-buildx/"},
		{"podman", "[ $1 = version ] || echo buildah 1.41.5", "",
			`docker buildx is "buildah 1.41.5", which cannot run a frontend; install buildx`},
		{"all", "[ $1 = version ] || echo github.com/docker/buildx v0.30.0", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bin := t.TempDir()
			t.Setenv("PATH", bin)
			if tc.docker != "" {
				script := "#!/bin/sh\n" + tc.docker + "\n"
				if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(script), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			m, err := Look(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for what, pair := range map[string][2]string{
				"engine": {text(m.Docker), tc.engine}, "buildx": {text(m.Buildx), tc.buildx},
			} {
				if !strings.HasPrefix(pair[0], pair[1]) || (pair[0] == "") != (pair[1] == "") {
					t.Errorf("%s: %q, want %q", what, pair[0], pair[1])
				}
			}
			if m.Root != (os.Geteuid() == 0) || len(m.Missing) == 0 {
				t.Errorf("root %v, missing %q", m.Root, m.Missing)
			}
		})
	}
}

// Settings that a lab cannot have are not passed over for an engine.
func TestSettings(t *testing.T) {
	t.Setenv("CROSSHULL_LAB_IMAGES", "fake")
	if _, err := Look(t.Context()); err == nil || !strings.Contains(err.Error(), "CROSSHULL_LAB_IMAGES") {
		t.Errorf("error %v", err)
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
