package result_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/moby/buildkit/exporter/containerimage/exptypes"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

const (
	scanner  = "example.com/scanner:1"
	document = "sbom-nuget.spdx.json"
	about    = "[image] copy nuspec files and hashes of packages of app/app.csproj"
	// assets are NuGet's graph of an app with one package.
	assets = `{
		"targets": {"net10.0": {"A/1.0.0": {"type": "package", "runtime": {"lib/net10.0/A.dll": {}}}}},
		"libraries": {"A/1.0.0": {"type": "package", "path": "a/1.0.0"}},
		"projectFileDependencyGroups": {"net10.0": ["A >= 1.0.0"]},
		"project": {"version": "1.0.0", "frameworks": {"net10.0": {
			"targetAlias": "net10.0", "frameworkReferences": {"Microsoft.NETCore.App": {}}}}}}`
)

// restored is what a restore leaves that tells of packages.
func restored(graph string) gatewaytest.Step {
	return gatewaytest.Step{Name: about, Files: fstest.MapFS{
		"project.assets.json":       {Data: []byte(graph)},
		"packages/a/1.0.0/a.nuspec": {Data: []byte("<package><metadata><authors>us</authors></metadata></package>")},
	}}
}

// billed is a BuildKit that is asked for a bill of materials of an app for platforms.
func billed(platforms string) *gatewaytest.Client {
	c := app(platforms, nil)
	c.Set("attest:sbom", "generator="+scanner+",WORDS=1")
	img := gatewaytest.Config("linux/amd64")
	img.Config.Entrypoint, img.Config.Cmd = []string{"/scan"}, []string{"--all"}
	c.Images[scanner] = gatewaytest.Image{Configs: map[string]*dockerspec.DockerOCIImage{"linux/amd64": img}}
	c.Step(restored(assets))
	return c
}

// The packages of an app are a document for each platform.
func TestDocuments(t *testing.T) {
	c := billed("linux/amd64,linux/arm64")
	delete(c.Options, "attest:sbom")
	c.Set("target", "sbom")
	res := export(t, c)
	if len(res.Refs) != 2 {
		t.Errorf("%d results", len(res.Refs))
	}
	ran := c.Ran()
	for _, name := range []string{"[image linux/amd64] write " + document, "[image linux/arm64] write " + document} {
		if !slices.Contains(ran, name) {
			t.Errorf("%s is not among %q", name, ran)
		}
	}
	if slices.ContainsFunc(ran, func(name string) bool { return strings.HasPrefix(name, publish) }) {
		t.Error("it was published for that")
	}
}

// An image gets what the scanner finds, and what NuGet knows.
func TestAttestations(t *testing.T) {
	c := billed("linux/amd64,linux/arm64")
	c.Set("build-arg:BUILDKIT_SBOM_SCAN_CONTEXT", "true")
	c.Set("build-arg:BUILDKIT_SBOM_SCAN_STAGE", "1")
	res := export(t, c)
	for _, platform := range []string{"linux/amd64", "linux/arm64"} {
		var paths []string
		for _, a := range res.Attestations[platform] {
			paths = append(paths, a.Path)
			if string(a.Metadata["reason"]) != "sbom" || a.InToto.PredicateType != "https://spdx.dev/Document" {
				t.Errorf("%s: %+v", platform, a)
			}
		}
		if slices.Sort(paths); !slices.Equal(paths, []string{"", document}) {
			t.Errorf("%s: documents %q", platform, paths)
		}
		if name := "[image " + platform + "] scan with " + scanner; !slices.Contains(c.Ran(), name) {
			t.Errorf("%s did not run", name)
		}
	}
}

func TestAttestationOfOneImage(t *testing.T) {
	res := export(t, billed("linux/arm64"))
	if n := len(res.Attestations["linux/arm64"]); n != 2 {
		t.Errorf("attestations %+v", res.Attestations)
	}
}

// A platform that is named twice has one image, in an index, with one bill of each kind.
func TestAttestationsOfPlatformTwice(t *testing.T) {
	res := export(t, billed("linux/arm64,linux/arm64/v8"))
	if len(res.Refs) != 1 || len(res.Attestations["linux/arm64"]) != 2 {
		t.Errorf("images %v, attestations %+v", res.Refs, res.Attestations)
	}
	ps, err := exptypes.ParsePlatforms(res.Metadata)
	if err != nil || len(ps.Platforms) != 1 {
		t.Errorf("platforms %v, %v", ps, err)
	}
}

func TestBillsFail(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*gatewaytest.Client)
		want   want
	}{
		{"no scanner", func(c *gatewaytest.Client) { delete(c.Images, scanner) }, want{
			Says: "SBOM scanner: example.com/scanner:1: not found",
		}},
		{"a scanner without a command", func(c *gatewaytest.Client) { c.Images[scanner] = gatewaytest.Multi() }, want{
			Says: "SBOM scanner: example.com/scanner:1 has no entrypoint and no command, so it is no scanner: …",
		}},
		{"a scanner that is a folder", func(c *gatewaytest.Client) { c.Set("context:"+scanner, "local:scanner") }, want{
			Says: "SBOM scanner: example.com/scanner:1 has no entrypoint and no command, so it is no scanner: …",
		}},
		{"stages by name", func(c *gatewaytest.Client) { c.Set("build-arg:BUILDKIT_SBOM_SCAN_STAGE", "build,test") }, want{
			Says: "BUILDKIT_SBOM_SCAN_STAGE=build,test: write true or false: only a Dockerfile has stages to name",
		}},
		{"a restore that fails", func(c *gatewaytest.Client) {
			c.Step(gatewaytest.Step{Name: about, Err: errors.New("no space left on device")})
		}, want{Says: "no space left on device", At: []string{"crosshull.yaml:1"}}},
		{"a graph that is none", func(c *gatewaytest.Client) { c.Step(restored("<")) }, want{
			Says: "read project.assets.json: invalid character '<' looking for beginning of value" + gatewaytest.Bug,
		}},
		{"a graph of another framework", func(c *gatewaytest.Client) { c.Step(restored("{}")) }, want{
			Says: "project.assets.json of app/app.csproj has no target for framework net10.0" + gatewaytest.Bug,
		}},
		{"packages that cannot be read", func(c *gatewaytest.Client) {
			step := restored(assets)
			step.Errs = map[string]error{"packages/a/1.0.0/a.nuspec": errors.New("input/output error")}
			c.Step(step)
		}, want{Says: "read nuspec files and hashes of packages: input/output error"}},
	} {
		for _, target := range []string{"image", "sbom"} {
			ofScanner := strings.Contains(tc.name, "scanner") || strings.Contains(tc.name, "stages")
			if target == "sbom" && ofScanner {
				continue
			}
			t.Run(tc.name+" "+target, func(t *testing.T) {
				c := billed("linux/amd64")
				c.Set("target", target)
				tc.change(c)
				_, err := build(t.Context(), t, c)
				tc.want.Check(t, err)
			})
		}
	}
}

func TestBillCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := billed("linux/amd64")
	img := c.Images[scanner]
	img.Do = func(ctx context.Context) error {
		cancel()
		return ctx.Err()
	}
	c.Images[scanner] = img
	if _, err := build(ctx, t, c); !errors.Is(err, context.Canceled) { // of the scanner, or of what ran beside it
		t.Error(err)
	}
}

// written is the text of the document of a result.
func written(t *testing.T, ref client.Reference) string {
	t.Helper()
	st, err := ref.ToState()
	if err != nil {
		t.Fatal(err)
	}
	def, err := st.Marshal(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			t.Fatal(err)
		}
		for _, action := range op.GetFile().GetActions() {
			if file := action.GetMkfile(); file.GetPath() == "/"+document {
				return string(file.Data)
			}
		}
	}
	t.Fatal("there is no document")
	return ""
}

// Where the SDK is not what links, the document names both.
func TestDocumentOfToolchain(t *testing.T) {
	c := billed("linux/amd64")
	c.Set("target", "sbom")
	c.Spec("sdk: {toolchain: example.com/linker:1}")
	c.Images["example.com/linker:1"] = gatewaytest.Multi()
	c.Set("context:"+gatewaytest.SDK, "local:sdk")
	c.Describe(gatewaytest.App(project, gatewaytest.Item{"PublishAot": "true", "ContainerBaseImage": deps}))
	c.Step(restored(strings.Replace(assets, `"targets": {`, `"targets": {"net10.0/linux-x64": {}, `, 1)))
	text := written(t, export(t, c).Ref)
	for _, name := range []string{"example.com/linker", "mcr.microsoft.com/dotnet/sdk", deps[:len(deps)-5]} {
		if !strings.Contains(text, name) {
			t.Errorf("it does not name %s:\n%s", name, text)
		}
	}
}

// An empty base is no image, and none is named.
func TestDocumentOnNothing(t *testing.T) {
	c := billed("linux/amd64")
	c.Set("target", "sbom")
	c.Spec("base: {image: scratch}")
	c.Describe(gatewaytest.App(project, gatewaytest.Item{"SelfContained": "true", "ContainerBaseImage": "scratch"}))
	c.Step(restored(strings.Replace(assets, `"targets": {`, `"targets": {"net10.0/linux-musl-x64": {}, `, 1)))
	text := written(t, export(t, c).Ref)
	if strings.Contains(text, "scratch") || !strings.Contains(text, gatewaytest.SDK[:len(gatewaytest.SDK)-5]) {
		t.Errorf("it names scratch, or no SDK:\n%s", text)
	}
}
