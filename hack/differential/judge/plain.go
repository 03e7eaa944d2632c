package judge

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/client/llb"
	gateway "github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"

	"github.com/crosshull/crosshull/hack/differential"
	"github.com/crosshull/crosshull/hack/inprocess"
	xllb "github.com/crosshull/crosshull/llb"
)

const sdkImage = "mcr.microsoft.com/dotnet/sdk:10.0"

// fileTime is the time of the files of a checkout in the container: what is published must not depend on it.
var fileTime = time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)

// plain publishes like a Dockerfile with COPY . . and dotnet publish. The folder is the same as with crosshull, because
// the compiler writes paths into its output. A new mark makes it a build that no cache has.
func (j *Judge) plain(ctx context.Context, dir string, p differential.Publish, mark string) (Outcome, error) {
	out := filepath.Join(dir, outDir)
	mounts, err := inprocess.Mounts(map[string]string{"context": filepath.Join(dir, plainDir)})
	if err != nil {
		return Outcome{}, err
	}
	began := time.Now()
	rec, err := inprocess.Solve(ctx, j.Addr, client.SolveOpt{
		LocalMounts: mounts,
		SharedKey:   filepath.Join(dir, plainDir),
		Exports:     []client.ExportEntry{{Type: client.ExporterLocal, OutputDir: out}},
	}, func(ctx context.Context, c gateway.Client) (*gateway.Result, error) {
		sdk := llb.Image(sdkImage, llb.WithMetaResolver(c), llb.LinuxAmd64)
		def, err := plainState(sdk, p, mark).Marshal(ctx, llb.LinuxAmd64)
		if err != nil {
			return nil, err
		}
		return c.Solve(ctx, gateway.SolveRequest{Definition: def.ToPB(), Evaluate: true})
	})
	if err != nil && !strings.Contains(err.Error(), "exit code") {
		return Outcome{}, fmt.Errorf("plain publish: %w", err)
	}
	return outcome(ctx, began, rec, err, out)
}

const (
	packageDir = "/nuget"
	publishDir = "/app"
)

func plainState(sdk llb.State, p differential.Publish, mark string) llb.State {
	checkout := llb.Scratch().File(llb.Copy(llb.Local("context", llb.SharedKeyHint("plain")), "/", "/",
		&llb.CopyInfo{CopyDirContentsOnly: true, CreatedTime: &fileTime}))
	args := append([]string{"dotnet", "publish"}, p.Arguments(xllb.SourceDir)...)
	// On two processors, a second process of MSBuild costs more than it gains.
	run := run(sdk, append(args, "-nodeReuse:false", "-maxCpuCount:1", "-o", publishDir),
		llb.Dir(path.Join(xllb.SourceDir, path.Dir(p.App))),
		llb.AddMount(xllb.SourceDir, checkout, llb.ForceNoOutput),
		// Writes to the shared packages are dropped, so that restores side by side do not see each other.
		llb.AddMount(packageDir, packages(sdk), llb.ForceNoOutput),
		llb.AddEnv("MARK", mark),
		llb.WithCustomName("plain dotnet publish"))
	return run.AddMount(publishDir, llb.Scratch())
}

// packages are those of the feed that repositories use: a folder as a restore leaves it.
func packages(sdk llb.State) llb.State {
	projects := llb.Scratch()
	script := "set -e\n"
	for i, list := range []string{
		"Newtonsoft.Json 13.0.3 Serilog 4.3.0 Dapper 2.1.66 System.CommandLine 2.0.12 Npgsql 9.0.3 " +
			"SQLitePCLRaw.lib.e_sqlite3 2.1.13",
		"Newtonsoft.Json 13.0.4",
	} {
		var items strings.Builder
		words := strings.Fields(list)
		for n := 0; n < len(words); n += 2 {
			fmt.Fprintf(&items, "<PackageReference Include=%q Version=%q />", words[n], words[n+1])
		}
		name := fmt.Sprintf("p%d", i)
		projects = projects.File(llb.Mkdir("/"+name, 0o755, llb.WithCreatedTime(fileTime)).
			Mkfile("/"+name+"/"+name+".csproj", 0o644, fmt.Appendf(nil,
				`<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup><TargetFrameworks>net10.0</TargetFrameworks>`+
					`</PropertyGroup><ItemGroup>%s</ItemGroup></Project>`, &items), llb.WithCreatedTime(fileTime)))
		script += "dotnet restore -nodeReuse:false " + name + "\n"
	}
	script += "dotnet restore -nodeReuse:false p1 -p:TargetFrameworks=net9.0 -p:EnableAppHostPackDownload=false\n"
	script += "dotnet restore -nodeReuse:false p1 -r linux-x64 -p:SelfContained=true -p:PublishReadyToRun=true\n"
	return run(sdk, []string{"sh", "-c", script},
		llb.Dir(xllb.SourceDir),
		llb.AddMount(xllb.SourceDir, projects, llb.ForceNoOutput),
		llb.WithCustomName("packages of the feed")).AddMount(packageDir, llb.Scratch())
}

// run runs a command with the environment that crosshull's steps have.
func run(sdk llb.State, args []string, opts ...llb.RunOption) llb.ExecState {
	return sdk.Run(append(append(opts, xllb.ShortRun()...),
		llb.Args(args),
		llb.Network(pb.NetMode_UNSET),
		llb.AddEnv("DOTNET_CLI_TELEMETRY_OPTOUT", "1"),
		llb.AddEnv("DOTNET_NOLOGO", "1"),
		llb.AddEnv("DOTNET_GENERATE_ASPNET_CERTIFICATE", "false"),
		llb.AddEnv("NUGET_PACKAGES", packageDir))...)
}
