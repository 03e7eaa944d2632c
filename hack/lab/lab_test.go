package lab

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/crosshull/crosshull/hack/lab/service"
)

// testLab is a lab with folders of its own and nothing of the machine's in its environment.
func testLab(t *testing.T) *Lab {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, env := range []string{envDir, envDotnet, envImages, envRegistry, envFeed} {
		t.Setenv(env, "")
	}
	l, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestNew(t *testing.T) {
	for _, tc := range []struct {
		name, env, value, err string
	}{
		{"defaults", envDir, "", ""},
		{"other folder", envDir, "/tmp/x", ""},
		{"long folder", envDir, "/" + strings.Repeat("x", 100), "too long for a socket"},
		{"registry", envRegistry, "127.0.0.1:5001", ""},
		{"registry on IPv6", envRegistry, "[::1]:5001", ""},
		{"registry for everyone", envRegistry, "0.0.0.0:5000",
			`CROSSHULL_LAB_REGISTRY: "0.0.0.0:5000" is no loopback address`},
		{"feed by name", envFeed, "example.com:80", `CROSSHULL_LAB_FEED: "example.com:80" is no loopback address`},
		{"feed without port", envFeed, "127.0.0.1", `CROSSHULL_LAB_FEED: "127.0.0.1" is no HOST:PORT`},
		{"images", envImages, "local", ""},
		{"other images", envImages, "fake", `CROSSHULL_LAB_IMAGES: "fake" is neither`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			testLab(t)
			t.Setenv(tc.env, tc.value)
			_, err := New()
			if got := errorText(err); (tc.err == "") != (err == nil) || !strings.Contains(got, tc.err) {
				t.Errorf("error %q, want %q", got, tc.err)
			}
		})
	}
}

func TestAccessors(t *testing.T) {
	l := testLab(t)
	cache := os.Getenv("XDG_CACHE_HOME") + "/crosshull"
	for got, want := range map[string]string{
		l.Dir():           cache + "/lab",
		l.Registry():      "127.0.0.1:5000",
		l.FeedURL():       "http://127.0.0.1:5080/v3/index.json",
		l.BuildkitAddr():  "unix://" + cache + "/lab/buildkitd.sock",
		l.Bin("buildctl"): cache + "/lab/bin/buildctl",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(cache)); err != nil || len(entries) != 0 {
		t.Errorf("New left %v, %v", entries, err)
	}
}

func TestEnv(t *testing.T) {
	l := testLab(t)
	t.Setenv("PATH", "/usr/bin:/bin")
	env := l.Env()
	if !slices.IsSorted(env) {
		t.Errorf("not sorted: %q", env)
	}
	path := "PATH=" + l.Dir() + "/bin:/usr/bin:/bin"
	for _, want := range []string{
		path,
		"BUILDX_BUILDER=crosshull-lab",
		"BUILDKIT_HOST=" + l.BuildkitAddr(),
		"DOCKER_CONFIG=" + l.Dir() + "/docker",
		"CROSSHULL_REGISTRY=127.0.0.1:5000",
		"CROSSHULL_FEED=" + l.FeedURL(),
	} {
		if !slices.Contains(env, want) {
			t.Errorf("%q is missing in %q", want, env)
		}
	}
	// In a shell that has it already.
	t.Setenv("PATH", strings.TrimPrefix(path, "PATH="))
	if !slices.Contains(l.Env(), path) {
		t.Errorf("the second time: %q", l.Env())
	}
}

func TestBuildkitConfig(t *testing.T) {
	l := testLab(t)
	for _, tc := range []struct {
		name     string
		mirrors  bool
		mirrored map[string]bool
	}{
		{"real images", false, map[string]bool{"ghcr.io": true, "mcr.microsoft.com": false, "docker.io": false}},
		{"local images", true, map[string]bool{"ghcr.io": true, "mcr.microsoft.com": true, "docker.io": true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := l.buildkitConfig(l.dir, tc.mirrors)
			if !strings.Contains(got, "[registry.\"127.0.0.1:5000\"]\n  http = true\n") {
				t.Errorf("the registry is not there, or not as plain HTTP:\n%s", got)
			}
			for host, want := range tc.mirrored {
				mirror := "[registry.\"" + host + "\"]\n  mirrors = [\"127.0.0.1:5000\"]\n"
				if strings.Contains(got, mirror) != want || strings.Contains(got, host) != want {
					t.Errorf("%s mirrored: want %v in\n%s", host, want, got)
				}
			}
		})
	}
}

func TestMountsBelow(t *testing.T) {
	const mountinfo = `22 1 8:1 / / rw - ext4 /dev/sda rw
30 22 0:30 / /lab/buildkit/a rw - overlay overlay rw
31 30 0:31 / /lab/buildkit/a/proc rw - proc proc rw
32 22 0:32 / /lab/buildkit-other/b rw - overlay overlay rw
33 22 0:33 / /lab/buildkit/with\040space rw - overlay overlay rw
`
	want := []string{"/lab/buildkit/a", "/lab/buildkit/a/proc", "/lab/buildkit/with space"}
	if got := mountsBelow([]byte(mountinfo), "/lab/buildkit/"); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestFree(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	if err := free(addr, envRegistry); err == nil || !strings.Contains(err.Error(), envRegistry+"=HOST:PORT") ||
		!strings.Contains(err.Error(), addr) {
		t.Errorf("taken: %v", err)
	}
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	if err := free(addr, envRegistry); err != nil {
		t.Errorf("free: %v", err)
	}
}

// put makes empty files, and the folders they are in.
func put(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFindToolchain(t *testing.T) {
	const sdkVersion = "sdk/10.0.401/dotnet.dll"
	pack := func(t *testing.T, dir, archive string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(archive), 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("tar", "-czf", archive, "-C", dir, ".").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for _, tc := range []struct {
		name   string
		needed bool
		// given fills dir and returns what CROSSHULL_DOTNET says
		given func(t *testing.T, dir string) string
		err   string
		check func(t *testing.T, l *Lab, dir string, got Toolchain)
	}{
		{
			name: "folder with sdk and feed", needed: true,
			given: func(t *testing.T, dir string) string {
				put(t, dir+"/dn/sdk/dotnet", dir+"/dn/sdk/"+sdkVersion, dir+"/dn/feed/a.nupkg", dir+"/dn/muxer/dotnet-arm64")
				return dir + "/dn"
			},
			check: func(t *testing.T, _ *Lab, dir string, got Toolchain) {
				if got.Dir != dir+"/dn" || !slices.Equal(got.Feeds, []string{dir + "/dn/feed"}) || got.Muxer != dir+"/dn/muxer" {
					t.Errorf("got %+v", got)
				}
			},
		},
		{
			name: "folder of an SDK", needed: true,
			given: func(t *testing.T, dir string) string {
				put(t, dir+"/dotnet", dir+"/"+sdkVersion)
				return dir
			},
			check: func(t *testing.T, l *Lab, _ string, got Toolchain) {
				if got.Dir != l.Dir()+"/toolchain" || !isSDK(got.Dir+"/sdk") || got.Feeds != nil || got.Muxer != "" {
					t.Errorf("got %+v", got)
				}
			},
		},
		{
			name: "the machine's own", needed: true,
			given: func(t *testing.T, dir string) string {
				put(t, dir+"/share/dotnet", dir+"/share/"+sdkVersion)
				if err := link(dir+"/share/dotnet", dir+"/bin/dotnet"); err != nil {
					t.Fatal(err)
				}
				t.Setenv("PATH", dir+"/bin")
				return ""
			},
			check: func(t *testing.T, _ *Lab, dir string, got Toolchain) {
				if target, err := os.Readlink(got.Dir + "/sdk"); err != nil || target != dir+"/share" {
					t.Errorf("got %+v, which links to %s, %v", got, target, err)
				}
			},
		},
		{
			name: "archive, with more beside it", needed: true,
			given: func(t *testing.T, dir string) string {
				put(t, dir+"/a/sdk/dotnet", dir+"/a/sdk/"+sdkVersion, dir+"/a/feed/a.nupkg", dir+"/b/feed/b.nupkg",
					dir+"/out/muxer/dotnet-arm64")
				pack(t, dir+"/a", dir+"/out/dotnet-lab.tar.gz")
				pack(t, dir+"/b", dir+"/out/feed-older.tar.gz")
				return dir + "/out/dotnet-lab.tar.gz"
			},
			check: func(t *testing.T, l *Lab, dir string, got Toolchain) {
				if !strings.HasPrefix(got.Dir, l.cache+"/dotnet/") || !isSDK(got.Dir+"/sdk") || got.Muxer != dir+"/out/muxer" {
					t.Errorf("got %+v", got)
				}
				if len(got.Feeds) != 2 || got.Feeds[0] != got.Dir+"/feed" {
					t.Fatalf("feeds %q", got.Feeds)
				}
				if _, err := os.Stat(got.Feeds[1] + "/b.nupkg"); err != nil {
					t.Error(err)
				}
				// What is unpacked is used again, also if the archive has another time.
				put(t, got.Dir+"/mark")
				if err := os.Chtimes(dir+"/out/dotnet-lab.tar.gz", time.Time{}, time.Unix(1, 0)); err != nil {
					t.Fatal(err)
				}
				again, err := l.openToolchain(t.Context(), dir+"/out/dotnet-lab.tar.gz")
				if err != nil || again.Dir != got.Dir {
					t.Fatalf("the second time: %+v, %v", again, err)
				}
				if _, err := os.Stat(got.Dir + "/mark"); err != nil {
					t.Error("unpacked again")
				}
			},
		},
		{
			name: "beside the repository", needed: true,
			given: func(t *testing.T, dir string) string {
				put(t, dir+"/a/dotnet", dir+"/a/"+sdkVersion)
				pack(t, dir+"/a", dir+"/shared/dotnet/dotnet-lab.tar.xz") // tar looks at the content, not at the name
				return ""
			},
			check: func(t *testing.T, _ *Lab, _ string, got Toolchain) {
				if !isSDK(got.Dir + "/sdk") {
					t.Errorf("got %+v", got)
				}
			},
		},
		{
			name: "none", needed: true,
			given: func(t *testing.T, dir string) string { t.Setenv("PATH", dir); return "" },
			err:   "set CROSSHULL_DOTNET to",
		},
		{
			name:  "none is needed",
			given: func(t *testing.T, dir string) string { t.Setenv("PATH", dir); return "" },
			check: func(t *testing.T, _ *Lab, _ string, got Toolchain) {
				if got.Dir != "" {
					t.Errorf("got %+v", got)
				}
			},
		},
		{
			name:  "missing though asked for",
			given: func(_ *testing.T, dir string) string { return dir + "/no" },
			err:   "CROSSHULL_DOTNET: stat",
		},
		{
			name: "no SDK", needed: true,
			given: func(_ *testing.T, dir string) string { return dir },
			err:   "no .NET SDK in it",
		},
		{
			name: "no archive", needed: true,
			given: func(t *testing.T, dir string) string { put(t, dir+"/x.tar.gz"); return dir + "/x.tar.gz" },
			err:   "x.tar.gz: unpack: exit status",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, dir := testLab(t), t.TempDir()
			l.dotnet = tc.given(t, dir)
			got, _, err := l.findToolchain(t.Context(), dir+"/repo", tc.needed)
			if tc.err != "" {
				if !strings.Contains(errorText(err), tc.err) {
					t.Errorf("error %v, want %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			tc.check(t, l, dir, got)
		})
	}
}

func TestDecideImages(t *testing.T) {
	for _, tc := range []struct{ name, wish, before, want string }{
		{"asked for", imagesReal, imagesLocal, imagesReal},
		{"decided before", "", imagesReal, imagesReal},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l := testLab(t)
			l.images = tc.wish
			if got, err := l.decideImages(t.Context(), tc.before); err != nil || got != tc.want {
				t.Errorf("%q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

func TestState(t *testing.T) {
	l := testLab(t)
	if l.LocalImages() || l.Toolchain().Dir != "" {
		t.Error("there is something before the first Up")
	}
	if err := os.MkdirAll(l.Dir(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := l.saveState(state{Images: imagesLocal, Toolchain: Toolchain{Dir: "/dn"}}); err != nil {
		t.Fatal(err)
	}
	if !l.LocalImages() || l.Toolchain().Dir != "/dn" {
		t.Errorf("read back: %+v", l.state())
	}
	if err := l.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if l.LocalImages() {
		t.Error("kept after Down")
	}
}

func TestDownWithoutUp(t *testing.T) {
	l := testLab(t)
	if err := l.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(l.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Down made the folder: %v", err)
	}
	for _, s := range l.Status(t.Context()) {
		if s.PID != 0 || s.Err == nil {
			t.Errorf("%s: pid %d, %v", s.Name, s.PID, s.Err)
		}
	}
}

func TestLock(t *testing.T) {
	l := testLab(t)
	if err := os.MkdirAll(l.Dir(), 0o755); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	p := &reporter{w: &out, began: time.Now()}
	unlock, err := l.lock(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 250*time.Millisecond)
	defer cancel()
	if _, err := l.lock(ctx, p); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("locked twice: %v", err)
	}
	if n := strings.Count(out.String(), "waiting"); n != 1 {
		t.Errorf("said %d times that it waits", n)
	}
	unlock()
	unlock, err = l.lock(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// A program of the lab's own folder must not become a link to itself.
func TestElsewhere(t *testing.T) {
	l, dir := testLab(t), t.TempDir()
	put(t, l.Bin("docker"))
	t.Setenv("PATH", l.Bin("")+":"+dir)
	if got, err := l.elsewhere("docker"); err == nil {
		t.Errorf("found %s", got)
	}
	put(t, dir+"/docker")
	if got, err := l.elsewhere("docker"); err != nil || got != dir+"/docker" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestLink(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	for _, target := range []string{"/one", "/one", "/two"} {
		if err := link(target, path); err != nil {
			t.Fatal(err)
		}
		if got, err := os.Readlink(path); err != nil || got != target {
			t.Errorf("links to %s, %v; want %s", got, err, target)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// What a program left running that was ended itself, Down ends.
func TestDownEndsOthers(t *testing.T) {
	l := testLab(t)
	for folder, name := range map[string]string{"second-1": "buildkitd", "engine-1": "engine"} {
		dir := filepath.Join(l.Dir(), folder)
		put(t, filepath.Join(dir, "state"))
		s := &service.Service{Name: name, Dir: dir, Args: []string{"/bin/sleep", "60"},
			Ready: func(context.Context) error { return nil }}
		if err := s.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if pid := s.PID(); pid != 0 {
				t.Errorf("%s still runs", name)
			}
			if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s is still there: %v", dir, err)
			}
		}()
	}
	if err := l.Down(t.Context()); err != nil {
		t.Error(err)
	}
}
