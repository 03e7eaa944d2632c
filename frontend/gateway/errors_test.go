package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/llb/dotnet"
)

const publish = "[publish] dotnet publish app/app.csproj"

var step = gateway.Step{Source: "/source", Diagnostics: "/diagnostics", Output: "/app"}

// failed is the error of publish, with a mount of every folder that is looked into.
func failed() error { return gatewaytest.Failed(publish, "/source", "/diagnostics", "/app") }

const unexplained = `process "` + publish + `" did not complete successfully: exit code: 1`

func TestReturn(t *testing.T) {
	if err := gateway.Return(nil); err != nil {
		t.Errorf("no error became %v", err)
	}
	located := errdefs.WithSource(failed(), &errdefs.Source{
		Info:   &pb.SourceInfo{Filename: "crosshull.yaml"},
		Ranges: []*pb.Range{{Start: &pb.Position{Line: 3}, End: &pb.Position{Line: 3}}},
	})
	for _, tc := range []struct {
		name string
		err  error
		code codes.Code
		want gatewaytest.Want
	}{
		{"text", errors.New("no such thing"), codes.Unknown, gatewaytest.Want{Says: "no such thing"}},
		{"of a step, wrapped", fmt.Errorf("describe the project: %w", located), codes.Unknown, gatewaytest.Want{
			Says: "describe the project: " + unexplained, At: []string{"crosshull.yaml:3"}, Solve: true,
		}},
		{"of a step, reworded", gateway.Reword(located, "it does not compile"), codes.Unknown, gatewaytest.Want{
			Says: "it does not compile", At: []string{"crosshull.yaml:3"}, Solve: true,
		}},
		{"with a code", fmt.Errorf("base image: %w", grpcerrors.WrapCode(errors.New("refused"), codes.PermissionDenied)),
			codes.PermissionDenied, gatewaytest.Want{Says: "base image: refused"}},
		{"of a context that ended", fmt.Errorf("read the context: %w", context.Canceled), codes.Canceled, gatewaytest.Want{
			Says: "read the context: context canceled", Canceled: true,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := gateway.Return(tc.err)
			tc.want.Check(t, err)
			sent := grpcerrors.FromGRPC(grpcerrors.ToGRPC(t.Context(), err)) // the way to buildx
			if got := grpcerrors.Code(sent); got != tc.code {
				t.Errorf("sent with %v, want %v", got, tc.code)
			}
			tc.want.Canceled = false // the code says it by then, before the text
			if tc.code != codes.Unknown {
				tc.want.Says = tc.code.String() + ": " + tc.want.Says
			}
			tc.want.Check(t, sent)
		})
	}
}

// Why a step failed is looked up though nobody waits for the step any more: its failure may be what ended the others.
func TestDiagnoseAfterTheEnd(t *testing.T) {
	gw := open(t, &gatewaytest.Client{Mounts: log("/source/a.cs(1): error CS1002: ; expected")})
	err := gw.Diagnose(ended(t), failed(), step)
	gatewaytest.Want{Says: "1 error in " + publish + "…", Solve: true}.Check(t, err)
}

// log is what a step leaves of its errors.
func log(lines ...string) map[string]fstest.MapFS {
	return map[string]fstest.MapFS{
		publish + " /diagnostics": {"errors.log": {Data: []byte(strings.Join(lines, "\n") + "\n")}},
	}
}

func TestDiagnose(t *testing.T) {
	const at = " [/source/app/app.csproj]"
	const inFile = "/source/app/Program.cs(%d,1): error CS1001: x%d" + at
	var many []string
	for i := range 7 {
		many = append(many, fmt.Sprintf(inFile, i+1, i))
	}
	file := &errdefs.SolveError{
		Solve: &errdefs.Solve{Op: &pb.Op{Op: &pb.Op_File{File: &pb.FileOp{}}}}, Err: errors.New("no such file"),
	}
	plain := errors.New("no space left on device")
	for _, tc := range []struct {
		name   string
		err    error
		mounts map[string]fstest.MapFS
		says   []string // lines; nil: the error comes back as it is
	}{
		{name: "none"},
		{name: "of no step", err: plain, mounts: log("error CS0103: x")},
		{name: "of a step that executes nothing", err: file, mounts: log("error CS0103: x")},
		{name: "of a step without that mount", err: gatewaytest.Failed(publish, "/app"), mounts: log("error CS0103: x")},
		{name: "whose mount cannot be had", err: failed()},
		{name: "that left no file", err: failed(), mounts: map[string]fstest.MapFS{publish + " /diagnostics": {}}},
		{name: "that left no error", err: failed(), mounts: log("Build started.")},
		{name: "one", err: failed(), mounts: log(fmt.Sprintf(inFile, 3, 0)), says: []string{
			"1 error in " + publish,
			"    CS1001: see https://learn.microsoft.com/dotnet/csharp/misc/cs1001",
			"app/Program.cs(3,1): error CS1001: x0",
		}},
		{name: "one with a hint", err: failed(), mounts: log("error NU1010: no version" + at), says: []string{
			"1 error in " + publish,
			"    NU1010: see https://learn.microsoft.com/nuget/reference/errors-and-warnings/nu1010",
			"    NU1010: hint: Directory.Packages.props has no version for the package: add a PackageVersion for it",
			"app/app.csproj: error NU1010: no version",
		}},
		{name: "many", err: failed(), mounts: log(many...), says: []string{
			"7 errors in " + publish,
			"    CS1001: see https://learn.microsoft.com/dotnet/csharp/misc/cs1001",
			"and 2 more in the log of the step",
			"app/Program.cs(2,1): error CS1001: x1",
			"app/Program.cs(3,1): error CS1001: x2",
			"app/Program.cs(4,1): error CS1001: x3",
			"app/Program.cs(5,1): error CS1001: x4",
			"app/Program.cs(1,1): error CS1001: x0",
		}},
		{name: "some without a code", err: failed(),
			mounts: log("error : see below"+at, "error : probed"+at, "error NU1010: no version"+at),
			says: []string{
				"3 errors in " + publish,
				"    NU1010: see https://learn.microsoft.com/nuget/reference/errors-and-warnings/nu1010",
				"    NU1010: hint: Directory.Packages.props has no version for the package: add a PackageVersion for it",
				"app/app.csproj: error: see below",
				"app/app.csproj: error: probed",
				"app/app.csproj: error NU1010: no version",
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			gw := open(t, &gatewaytest.Client{Mounts: tc.mounts})
			err := gw.Diagnose(t.Context(), tc.err, step)
			if tc.says == nil {
				if err != tc.err { //nolint:errorlint // it is to be the very error
					t.Errorf("it became %v", err)
				}
				return
			}
			gatewaytest.Want{Says: strings.Join(tc.says, "\n"), Solve: true}.Check(t, err)
		})
	}
}

// results is a TRX file of tests, some of which fail.
func results(passed int, failed ...string) []byte {
	var b strings.Builder
	b.WriteString("<TestRun><Results>")
	for _, name := range failed {
		fmt.Fprintf(&b, `<UnitTestResult testName="%s" outcome="Failed"><Output><ErrorInfo>`, name)
		fmt.Fprintf(&b, `<Message>%s is wrong&#10;at x</Message></ErrorInfo></Output></UnitTestResult>`, name)
	}
	n := passed + len(failed)
	fmt.Fprintf(&b, `</Results><ResultSummary><Counters total="%d" executed="%d" `, n, n)
	fmt.Fprintf(&b, `passed="%d" failed="%d" /></ResultSummary></TestRun>`, passed, len(failed))
	return []byte(b.String())
}

func TestDiagnoseTest(t *testing.T) {
	left := func(name string, dt []byte) map[string]fstest.MapFS {
		return map[string]fstest.MapFS{publish + " /app": {name: {Data: dt}}}
	}
	for _, tc := range []struct {
		name   string
		err    error
		mounts map[string]fstest.MapFS
		says   []string
	}{
		{name: "none"},
		{name: "of no step", err: errors.New("no space left on device")},
		{name: "no results", err: failed(), mounts: left("other.trx", nil)},
		{name: "results of another kind", err: failed(), mounts: left("unit/unit.trx", []byte("<"))},
		{name: "all passed", err: failed(), mounts: left("unit/unit.trx", results(3))},
		{name: "compiler", err: failed(), mounts: log("/source/a.cs(1): error CS1002: ; expected"), says: []string{
			"1 error in " + publish,
			"    CS1002: see https://learn.microsoft.com/dotnet/csharp/misc/cs1002",
			"a.cs(1): error CS1002: ; expected",
		}},
		{name: "one failed", err: failed(), mounts: left("unit/unit.trx", results(2, "A")), says: []string{
			"1 of 3 tests failed in " + publish, "A: A is wrong; at x",
		}},
		{name: "many failed", err: failed(), mounts: left("unit/unit.trx", results(0, "A", "B", "C", "D", "E", "F")),
			says: []string{
				"6 of 6 tests failed in " + publish,
				"and 1 more in the log of the step",
				"B: B is wrong; at x", "C: C is wrong; at x", "D: D is wrong; at x", "E: E is wrong; at x", "A: A is wrong; at x",
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			gw := open(t, &gatewaytest.Client{Mounts: tc.mounts})
			err := gw.DiagnoseTest(t.Context(), tc.err, step, "unit/unit.trx")
			if tc.says == nil {
				if err != tc.err { //nolint:errorlint // it is to be the very error
					t.Errorf("it became %v", err)
				}
				return
			}
			gatewaytest.Want{Says: strings.Join(tc.says, "\n"), Solve: true}.Check(t, err)
		})
	}
}

// What a step says that failed, and is a result to BuildKit, has the step's name, and its vertex for the history.
func TestFailedStep(t *testing.T) {
	gw := open(t, &gatewaytest.Client{})
	const name = "[describe] dotnet msbuild"
	const see = "    MSB4025: see https://learn.microsoft.com/visualstudio/msbuild/errors/msb4025\n"
	one := dotnet.Diagnostic{File: "app.csproj", Code: "MSB4025", Message: "broken"}
	for _, tc := range []struct {
		diagnostics []dotnet.Diagnostic
		says        string
	}{
		{nil, name + " failed without an error message: build with --no-cache to see its log"},
		{[]dotnet.Diagnostic{one}, "1 error in " + name + "\n" + see + "app.csproj: error MSB4025: broken"},
	} {
		err := gw.FailedStep(t.Context(), run(name), tc.diagnostics, nil)
		gatewaytest.Want{Says: tc.says}.Check(t, err)
		var vertex *errdefs.VertexError
		if !errors.As(err, &vertex) || !strings.HasPrefix(vertex.Digest, "sha256:") {
			t.Errorf("it is of vertex %v", vertex)
		}
	}
	gatewaytest.Want{Says: "marshal LLB: no such state"}.Check(t, gw.FailedStep(t.Context(), broken(), nil, nil))
}
