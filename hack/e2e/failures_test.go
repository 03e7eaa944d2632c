package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/console"
	"github.com/moby/buildkit/client"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	gwpb "github.com/moby/buildkit/frontend/gateway/pb"
	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/util/grpcerrors"
	"github.com/tonistiigi/fsutil"
	"google.golang.org/grpc/codes"

	"github.com/crosshull/crosshull/frontend"
)

// broken gives a project that does not compile, and a test project of it that an image may wait for.
func broken(t *testing.T, spec string) string {
	t.Helper()
	dir := t.TempDir()
	project(t, dir, "src/app/app.csproj", "")
	write(t, dir, "src/app/Program.cs", "System.Console.WriteLin();\n")
	project(t, dir, "tests/unit/unit.csproj", "<OutputType>Library</OutputType><IsTestProject>true</IsTestProject>")
	edit(t, dir, "tests/unit/unit.csproj", "</Project>",
		`<ItemGroup><ProjectReference Include="../../src/app/app.csproj" /></ItemGroup></Project>`)
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\nproject: src/app\n"+spec)
	return dir
}

// itself is how the error of broken begins: the last line of a message.
const itself = "src/app/Program.cs(1,16): error CS0117: 'Console' does not contain"

// lastLine is what some clients show of a message.
func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndex(text, "\n")+1:]
}

// checkFailure sees that the last line of an error begins as the project's own, and that it has what clients other than
// people look for.
func checkFailure(t *testing.T, err error, own string) {
	t.Helper()
	if err == nil {
		t.Error("it was built") // a frontend may call this in a goroutine of its own, which must not call Fatal
		return
	}
	if last := lastLine(err.Error()); !strings.HasPrefix(last, own) || strings.Contains(err.Error(), "released") {
		t.Errorf("the error is not the project's:\n%v", err)
	}
	var step *errdefs.SolveError
	var vertex *errdefs.VertexError
	var exit *gwpb.ExitError
	if !errors.As(err, &step) || step.Op.GetExec() == nil || len(step.MountIDs) == 0 {
		t.Errorf("the step is lost: %v", step)
	}
	if !errors.As(err, &vertex) || !errors.As(err, &exit) || exit.ExitCode != 1 {
		t.Errorf("the vertex %v or the exit code %v is lost", vertex, exit)
	}
	sources := errdefs.Sources(err)
	if len(sources) == 0 || sources[0].Info.Filename != "crosshull.yaml" {
		t.Errorf("the place in the spec is lost: %v", sources)
	}
}

// A project that fails gives its own error, however often it is built and whatever fails beside it: BuildKit loses the
// error of the second step that fails in a build. It was lost in one of four such builds, so that it takes twenty of
// each kind to see it mended. The project fails as its build begins, as compilers take most of the time.
func TestErrorEachTime(t *testing.T) {
	t.Parallel()
	const fails = `<Target Name="Fail" BeforeTargets="PrepareForBuild"><Error Code="OWN1" Text="it fails" />` +
		`</Target></Project>`
	_, addr := freshBuildkit(t)
	const gate = "tests: {projects: [tests/unit], gate: true}\n"
	for _, tc := range []struct {
		name  string
		specs []string // by turns
	}{
		{"alone", []string{""}},
		{"beside tests", []string{gate, gate + "publish: {mode: self-contained}\n"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var dirs []string
			for _, spec := range tc.specs {
				dir := broken(t, spec)
				edit(t, dir, "src/app/app.csproj", "</Project>", fails)
				dirs = append(dirs, dir)
			}
			for i := range 20 {
				again := attr("no-cache", "publish,test") // what failed is in no cache, and the steps before passed
				_, err := solve(t, dirs[i%len(dirs)], on(addr), again, platform("linux/amd64,linux/arm64"))
				if checkFailure(t, err, "src/app/app.csproj(8,53): error OWN1: it fails"); t.Failed() {
					t.Fatalf("build %d", i)
				}
			}
		})
	}
}

// Tests that fail side by side are all told of.
func TestAllFailedTests(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var projects []string
	for _, name := range []string{"one", "two", "three"} {
		project(t, dir, name+"/"+name+".csproj", "<OutputType>Library</OutputType>")
		edit(t, dir, name+"/"+name+".csproj", "</Project>",
			`<ItemGroup><PackageReference Include="Microsoft.NET.Test.Sdk" Version="18.0.1" />`+
				`<PackageReference Include="xunit" Version="2.9.3" />`+
				`<PackageReference Include="xunit.runner.visualstudio" Version="3.1.5" /></ItemGroup></Project>`)
		write(t, dir, name+"/Program.cs",
			"public class "+name+" { [Xunit.Fact] public void Fails() => Xunit.Assert.Fail(\"of "+name+"\"); }\n")
		projects = append(projects, name)
	}
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\ntests: ["+strings.Join(projects, ", ")+"]\n")
	_, err := solve(t, dir, attr("target", "test"))
	if err == nil {
		t.Fatal("the tests passed")
	}
	wantContains(t, "error", err.Error(), "one.Fails: of one", "two.Fails: of two", "three.Fails: of three")
	if strings.Contains(err.Error(), "released") {
		t.Errorf("BuildKit's fault: %v", err)
	}
}

// The frontend image gives clients the same error as the frontend in process.
func TestErrorOfFrontendImage(t *testing.T) {
	t.Parallel()
	dir := broken(t, "")
	local, err := fsutil.NewFS(dir)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(t.Context(), theLab.BuildkitAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // nothing to be done about it
	so := client.SolveOpt{SharedKey: dir, LocalMounts: map[string]fsutil.FS{"context": local, "dockerfile": local}}
	ctx, waited := waiting(t, "build")
	defer waited()
	_, err = c.Build(ctx, so, "", func(ctx context.Context, gc gateway.Client) (*gateway.Result, error) {
		res, err := gc.Solve(ctx, gateway.SolveRequest{
			Frontend: "gateway.v0", FrontendOpt: map[string]string{"source": theLab.FrontendRef(), "filename": "crosshull.yaml"},
		})
		checkFailure(t, err, itself)
		return res, err
	}, nil)
	checkFailure(t, err, itself)
}

// The history of builds has the error, its place, and the last lines of the step.
func TestHistoryOfFailure(t *testing.T) {
	t.Parallel()
	dir := broken(t, "")
	onFreshBuilder(t)
	out, err := tryBuild(t, dir, "-f", "crosshull.yaml", ".")
	if err == nil {
		t.Fatal("it was built")
	}
	if last := lastLine(out); !strings.HasPrefix(last, itself) {
		t.Errorf("the last line is %q", last)
	}
	inspected := command(t, dir, "docker", "buildx", "history", "inspect")
	wantContains(t, "history inspect", inspected, itself, "crosshull.yaml:2", ">>> project: src/app",
		"Logs:\n> => [publish] dotnet publish src/app/app.csproj:\n> /source/src/app/Program.cs(1,16)")
	wantContains(t, "history logs", command(t, dir, "docker", "buildx", "history", "logs"),
		"/source/src/app/Program.cs(1,16): error CS0117")
}

// debug runs buildx's debugger on a terminal, types what is in input when the shell of the failed step is there, and
// gives what was on the screen.
func debug(t *testing.T, dir, input string, args ...string) string {
	t.Helper()
	pty, slave, err := console.NewPty()
	if err != nil {
		t.Fatal(err)
	}
	defer pty.Close() //nolint:errcheck // nothing to be done about it
	if err := pty.Resize(console.WinSize{Height: 50, Width: 200}); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(slave, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	setenv(t, "BUILDX_EXPERIMENTAL", "1")
	cmd, done := prepare(t, dir, "docker",
		append([]string{"buildx", "debug", "--on=error", "--invoke", "/bin/sh", "build"}, args...)...)
	defer done()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := tty.Close(); err != nil {
		t.Fatal(err)
	}
	var screen strings.Builder
	buf := make([]byte, 1<<16)
	typed, left := false, false
	for {
		n, err := pty.Read(buf)
		screen.Write(buf[:n])
		if err != nil { // the other end is closed
			break
		}
		text := screen.String()
		if !typed && strings.Contains(text[strings.LastIndex(text, "\n")+1:], "# ") &&
			strings.Contains(text, "Interactive container") {
			typed = true
			_, _ = pty.Write([]byte(input + "; echo the-e\"\"nd\r"))
		}
		if !left && strings.Contains(text, "the-end") {
			left = true
			_, _ = pty.Write([]byte("\x01c")) // to the monitor
			time.Sleep(time.Second)
			_, _ = pty.Write([]byte("exit\r"))
		}
	}
	_ = cmd.Wait() // the build has failed
	return screen.String()
}

// A debugger gets a shell in the step that failed, with its files as they were.
func TestDebugger(t *testing.T) {
	t.Parallel()
	dir := broken(t, "")
	screen := debug(t, dir, "cat /source/src/app/Program.cs; ls /source/src/app/obj; cat /diagnostics/errors.log",
		"-f", "crosshull.yaml", "--build-arg", "CROSSHULL_DEBUG=true", ".")
	wantContains(t, "screen", screen, "Launching interactive container", "System.Console.WriteLin()",
		"project.assets.json", "error CS0117", ">>> project: src/app")

	// Where nobody said why, BuildKit's text is as good as any, so the debugger has the step unasked.
	dir = broken(t, "")
	edit(t, dir, "src/app/app.csproj", "</Project>",
		`<Target Name="Die" BeforeTargets="CoreCompile"><Exec Command="rm /diagnostics/*; exit 1" /></Target></Project>`)
	screen = debug(t, dir, "cat /source/src/app/Program.cs", "-f", "crosshull.yaml", ".")
	wantContains(t, "screen", screen, "did not complete successfully: exit code: 1", "Launching interactive container",
		"System.Console.WriteLin()")
}

// What fails before anything is restored fails at once the next time, unless it is about a feed.
func TestFailedTwice(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, project, want string
		again               bool
	}{
		{"an import that is missing", `<Project Sdk="Microsoft.NET.Sdk"><Import Project="no.props" /><!-- %s --></Project>`,
			"app.csproj(1,34): error MSB4019: ", false},
		{"an SDK that is missing", `<Project Sdk="No.Such.Sdk" /><!-- %s -->`, "app.csproj: error MSB4236: ", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "app.csproj", fmt.Sprintf(tc.project, fresh()))
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n")
			var first string
			for i := range 3 {
				rec, err := solve(t, dir)
				if err == nil {
					t.Fatal("it was built")
				}
				if last := lastLine(err.Error()); !strings.HasPrefix(last, tc.want) {
					t.Errorf("build %d: the last line is %q, want %q", i, last, tc.want)
				}
				if i == 0 {
					first = err.Error()
				}
				if err.Error() != first {
					t.Errorf("build %d says\n%v\nand not\n%s", i, err, first)
				}
				if ran := rec.count("[describe] dotnet msbuild") > 0; ran != (i == 0 || tc.again) {
					t.Errorf("build %d: MSBuild ran: %v: %q", i, ran, rec.ran)
				}
			}
			write(t, dir, "app.csproj",
				`<Project Sdk="Microsoft.NET.Sdk"><PropertyGroup><OutputType>Exe</OutputType>`+
					`<TargetFramework>net10.0</TargetFramework></PropertyGroup></Project>`)
			write(t, dir, "Program.cs", "System.Console.WriteLine();\n")
			mustSolve(t, dir)
		})
	}
}

// A build that is given up, or fails, ends what it has begun beside it, and says which it was. It looks at all
// goroutines, so it runs beside no other test.
func TestNothingRunsOn(t *testing.T) {
	dir := broken(t, "tests: {projects: [tests/unit], gate: true}\n")
	for _, tc := range []struct {
		name  string
		until string // the step at whose beginning the user gives up; empty: never
	}{
		{"given up while MSBuild is asked", "[describe] dotnet msbuild"},
		{"given up while publishing", "[publish] dotnet publish"},
		{"failed", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			local, err := fsutil.NewFS(dir)
			if err != nil {
				t.Fatal(err)
			}
			c, err := client.New(t.Context(), theLab.BuildkitAddr())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close() //nolint:errcheck // nothing to be done about it
			ctx, waited := waiting(t, "build")
			defer waited()
			ctx, giveUp := context.WithCancel(ctx)
			defer giveUp()
			statuses := make(chan *client.SolveStatus)
			go func() {
				for st := range statuses {
					for _, v := range st.Vertexes {
						if tc.until != "" && v.Started != nil && strings.HasPrefix(v.Name, tc.until) {
							giveUp()
						}
					}
				}
			}()
			so := client.SolveOpt{
				FrontendAttrs: map[string]string{"filename": "crosshull.yaml", "no-cache": ""},
				LocalMounts:   map[string]fsutil.FS{"context": local, "dockerfile": local},
				SharedKey:     dir,
			}
			_, err = c.Build(ctx, so, "", func(ctx context.Context, gc gateway.Client) (*gateway.Result, error) {
				res, err := frontend.Build(ctx, gc)
				if stacks := ours(); len(stacks) > 0 {
					t.Errorf("%d goroutines run on:\n%s", len(stacks), strings.Join(stacks, "\n\n"))
				}
				if is := errors.Is(err, context.Canceled); is != (tc.until != "") {
					t.Errorf("%v is context.Canceled: %v", err, is)
				}
				return res, err
			}, statuses)
			if tc.until == "" {
				checkFailure(t, err, itself)
			} else if !errors.Is(err, context.Canceled) && grpcerrors.Code(err) != codes.Canceled { // whichever end is first
				t.Errorf("%v is not that the user gave up", err)
			}
		})
	}
}

// ours are the stacks of goroutines that run the frontend.
func ours() []string {
	buf := make([]byte, 1<<22)
	stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
	return slices.DeleteFunc(stacks, func(s string) bool { return !strings.Contains(s, "crosshull/crosshull/frontend") })
}

// What kept a registry from answering is told, and no conclusion drawn from it. For one that must not be asked, see
// TestSourcePolicy.
func TestRegistryThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	answering := func(code int) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		srv := &http.Server{ReadHeaderTimeout: time.Minute,
			Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
				w.WriteHeader(code)
			})}
		go srv.Serve(l)                   //nolint:errcheck // ends with the test
		t.Cleanup(func() { srv.Close() }) //nolint:errcheck,gosec // nothing to be done about it
		return l.Addr().String()
	}
	for _, tc := range []struct{ name, registry, want string }{
		{"wants a password", answering(http.StatusUnauthorized), "401 Unauthorized"},
		{"was asked too often", answering(http.StatusTooManyRequests), "429 Too Many Requests"},
		{"is not there", "127.0.0.1:1", "connection refused"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := sharedHello(t)
			write(t, dir, "crosshull.yaml",
				"# syntax=ghcr.io/crosshull/crosshull:1\nbase: {image: '"+tc.registry+"/x/y:1'}\n")
			_, err := solve(t, dir, platform("linux/amd64,linux/arm/v7"))
			if err == nil {
				t.Fatal("it was built")
			}
			wantContains(t, "error", err.Error(), "crosshull.yaml:2: base image: ", tc.want)
			if strings.Contains(err.Error(), "has no image") || strings.Contains(err.Error(), "does not exist") {
				t.Errorf("says what the registry did not: %v", err)
			}
		})
	}
}

// However many mistakes a spec has, and however it is written, there is a message.
func TestSpecOfMistakes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var spec strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&spec, "key%d: \"%s\xff\u2028\"\n", i, strings.Repeat("x", 40))
	}
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n"+spec.String())
	out, err := tryBuild(t, dir, "-f", filepath.Join(dir, "crosshull.yaml"), ".")
	if err == nil {
		t.Fatal("it was built")
	}
	wantContains(t, "output", out, "ERROR: failed to build: failed to solve: crosshull.yaml:2: ")
	if last := lastLine(out); !strings.HasPrefix(last, "crosshull.yaml:") &&
		!strings.Contains(last, "failed to solve: crosshull.yaml:") {
		t.Errorf("the last line is %q", last)
	}
}
