// Package e2e tests crosshull with real parts: the real SDK, a real buildkitd, the real buildx, a real registry.
//
// Tests of the command line run what the README says, with the frontend image that the Dockerfile builds. Tests in
// process run the same code against the same buildkitd by client.Build, where every solve and vertex can be seen.
// The lab is brought up first; a part of it that is missing fails the tests, and says how to get it.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/crosshull/crosshull/hack/lab"
)

// theLab is up while tests run. It is left so: bringing it up again takes a second.
var theLab *lab.Lab

func TestMain(m *testing.M) {
	if err := setUp(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e: the lab is not there:", err)
		os.Exit(1)
	}
	code := m.Run()
	if err := theMachine().Close(); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func setUp() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	if theLab, err = lab.New(); err != nil {
		return err
	}
	if err := theLab.Up(ctx, os.Stderr); err != nil {
		return err
	}
	for _, kv := range theLab.Env() {
		k, v, _ := strings.Cut(kv, "=")
		if err := os.Setenv(k, v); err != nil {
			return err
		}
	}
	var out strings.Builder
	if err := theLab.PushFrontend(ctx, &out); err != nil {
		return fmt.Errorf("%w\n%s", err, &out)
	}
	return nil
}

// allPlatforms are those of the README's command.
const allPlatforms = "linux/amd64,linux/arm64,linux/arm/v7"

// command executes a command in dir and gives what it printed.
func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := try(t, dir, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// try is command for a command that may fail.
func try(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	cmd, done := prepare(t, dir, name, args...)
	defer done()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// prepare makes a command ready to run in dir; done is for after it has.
func prepare(t *testing.T, dir, name string, args ...string) (cmd *exec.Cmd, done func()) {
	t.Helper()
	kind := "command"
	if name == "docker" && len(args) > 1 && args[0] == "buildx" && (args[1] == "build" || args[1] == "bake") {
		kind = "build"
	}
	ctx, done := waiting(t, kind)
	cmd = exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = 10 * time.Second
	cmd.Dir, cmd.Env = dir, environ(t)
	return cmd, done
}

// build runs docker buildx build in dir.
func build(t *testing.T, dir string, args ...string) string {
	t.Helper()
	return command(t, dir, "docker", append([]string{"buildx", "build"}, args...)...)
}

// tryBuild is build for one that may fail.
func tryBuild(t *testing.T, dir string, args ...string) (string, error) {
	t.Helper()
	return try(t, dir, "docker", append([]string{"buildx", "build"}, args...)...)
}

var serial atomic.Int64

// fresh gives a text that no build has seen.
func fresh() string { return fmt.Sprintf("%d-%d", time.Now().UnixNano(), serial.Add(1)) }

// repository gives a name in the lab's registry that no other test has.
func repository(t *testing.T) string {
	t.Helper()
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '/' {
			return r
		}
		return -1
	}, strings.ToLower(t.Name()))
	return fmt.Sprintf("%s/e2e/%s-%s", theLab.Registry(), name, fresh())
}

// example gives a copy of an example that BuildKit has not seen before.
func example(t *testing.T, name string) string {
	t.Helper()
	return exampleWith(t, name, fresh())
}

func exampleWith(t *testing.T, name, mark string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := copyExample(dir, name, mark); err != nil {
		t.Fatal(err)
	}
	return dir
}

// copyExample copies an example, with a mark in a file that every step reads.
func copyExample(dir, name, mark string) error {
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, "examples", name))); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "Directory.Build.targets"), []byte("<Project><!-- "+mark+" --></Project>\n"),
		0o644)
}

// ofThisRun is in all that the tests of a run share, and in nothing of another run.
var ofThisRun = fresh()

// shared gives a copy of an example that is alike for all tests of a run: what one test has built, the builder has for
// the others. A test that counts what runs, or reads what the compiler says, wants [example].
func shared(t *testing.T, name string) string {
	t.Helper()
	if portable[name] != nil {
		builtFirst(t, name)
	}
	return exampleWith(t, name, ofThisRun)
}

// write puts a file into a context, its folders included.
func write(t *testing.T, dir, name, content string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	// BuildKit sends what differs in size or time from what it has of a folder of that name. The clock of files has ticks
	// of some milliseconds, so two tests that run side by side could write one of equal size in the same tick.
	if now := time.Now(); os.Chtimes(file, now, now) != nil {
		t.Fatalf("%s keeps its time", file)
	}
}

// edit replaces text in a file of a context, which has to have it.
func edit(t *testing.T, dir, name, from, to string) {
	t.Helper()
	dt, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(dt), from) {
		t.Fatalf("%s has no %q", name, from)
	}
	write(t, dir, name, strings.Replace(string(dt), from, to, 1))
}

// project writes a small console app that BuildKit has not seen before.
func project(t *testing.T, dir, path, properties string) {
	t.Helper()
	projectWith(t, dir, path, properties, fresh())
}

// sharedProject writes one that is alike for all tests of a run, for those to whom it is all one what runs.
func sharedProject(t *testing.T, dir, path, properties string) {
	t.Helper()
	projectWith(t, dir, path, properties, ofThisRun)
}

// The SDK's analyzers take a tenth of a publish, and have nothing to say about such programs.
func projectWith(t *testing.T, dir, path, properties, mark string) {
	t.Helper()
	write(t, dir, path, fmt.Sprintf(`<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <OutputType>Exe</OutputType>
    <TargetFramework>net10.0</TargetFramework><EnableNETAnalyzers>false</EnableNETAnalyzers>
    %s
  </PropertyGroup>
  <!-- %s -->
</Project>
`, properties, mark))
	write(t, dir, filepath.Join(filepath.Dir(path), "Program.cs"), "System.Console.WriteLine(\"hello\");\n")
}

func wantContains(t *testing.T, what, got string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(got, want) {
			t.Errorf("%s has no %q:\n%s", what, want, got)
		}
	}
}
