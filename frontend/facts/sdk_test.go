package facts_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
	"github.com/crosshull/crosshull/frontend/plan/plantest"
)

type want = gatewaytest.Want

const sdks = "mcr.microsoft.com/dotnet/sdk:"

// sdk is an image of the SDK that says its version.
func sdk(version string) gatewaytest.Image { return gatewaytest.Multi("DOTNET_SDK_VERSION=" + version) }

// globalJSON is a file that asks for an SDK in its third line.
func globalJSON(version, rollForward string) string {
	return fmt.Sprintf("{\n  \"sdk\": {\n    \"version\": %q,\n    \"rollForward\": %q\n  }\n}\n", version, rollForward)
}

func TestSDK(t *testing.T) {
	const newer = `<Project><PropertyGroup><TargetFramework>net11.0</TargetFramework></PropertyGroup></Project>`
	has := func(ref, version string) map[string]gatewaytest.Image {
		return map[string]gatewaytest.Image{ref: gatewaytest.Multi("DOTNET_SDK_VERSION=" + version)}
	}
	for _, tc := range []struct {
		name   string
		spec   []string
		files  map[string]string
		images map[string]gatewaytest.Image
		want   string // the reference that is asked for
		pin    string // the global.json that asked for it
		folder string
	}{
		{name: "by default", images: has(sdks+"10.0", "10.0.401"), want: sdks + "10.0"},
		{name: "for a newer framework", files: map[string]string{"app/app.csproj": newer},
			images: has(sdks+"11.0", "11.0.100"), want: sdks + "11.0"},
		{name: "by version", spec: []string{"sdk: {version: 9.0-alpine}"},
			images: has(sdks+"9.0-alpine", "9.0.300"), want: sdks + "9.0-alpine"},
		{name: "by reference", spec: []string{"sdk: {image: example.com/sdk}"},
			images: has("example.com/sdk:latest", ""), want: "example.com/sdk:latest"},
		{name: "pinned", files: map[string]string{"global.json": globalJSON("9.0.100", "disable")},
			images: has(sdks+"9.0.100", "9.0.100"), want: sdks + "9.0.100", pin: "global.json", folder: "."},
		{name: "pinned to what has no image", files: map[string]string{"global.json": globalJSON("9.0.101", "latestPatch")},
			images: has(sdks+"9.0", "9.0.110"), want: sdks + "9.0", pin: "global.json", folder: "."},
		{name: "pinned beside the project", spec: []string{"project: app/app.csproj"},
			files:  map[string]string{"global.json": "{", "app/global.json": globalJSON("9.0.100", "disable")},
			images: has(sdks+"9.0.100", "9.0.100"), want: sdks + "9.0.100", pin: "app/global.json", folder: "app"},
		{name: "a global.json that asks for none", spec: []string{"project: app"},
			files:  map[string]string{"app/global.json": "{}"},
			images: has(sdks+"10.0", "10.0.401"), want: sdks + "10.0", folder: "app"},
		{name: "by version, pinned to the same", spec: []string{"sdk: {version: \"9.0\"}"},
			files:  map[string]string{"global.json": globalJSON("9.0.100", "latestFeature")},
			images: has(sdks+"9.0", "9.0.300"), want: sdks + "9.0", pin: "global.json", folder: "."},
		{name: "pinned in a folder with a dot", spec: []string{"project: My.App"},
			files:  map[string]string{"My.App/My.App.csproj": newer, "My.App/global.json": globalJSON("9.0.100", "disable")},
			images: has(sdks+"9.0.100", "9.0.100"), want: sdks + "9.0.100", pin: "My.App/global.json", folder: "My.App"},
		{name: "pinned to any",
			files:  map[string]string{"global.json": `{"sdk": {"rollForward": "latestMajor"}}`, "app/app.csproj": newer},
			images: has(sdks+"11.0", "11.0.100"), want: sdks + "11.0", pin: "global.json", folder: "."},
		{name: "a version that is none", files: map[string]string{"global.json": globalJSON("8.0.x", "latestFeature")},
			images: has(sdks+"10.0", "10.0.401"), want: sdks + "10.0", folder: "."},
		{name: "a policy that there is not", files: map[string]string{"global.json": globalJSON("8.0.100", "newest")},
			images: has(sdks+"10.0", "10.0.401"), want: sdks + "10.0", folder: "."},
		{name: "no JSON, and an SDK that does not mind", spec: []string{"sdk: {version: \"9.0\"}"},
			files:  map[string]string{"global.json": "{"},
			images: has(sdks+"9.0", "9.0.300"), want: sdks + "9.0", folder: "."},
		{name: "where dotnet is", files: map[string]string{"global.json": `{"sdk": {"paths": [".dotnet", "$host$"]}}`},
			images: has(sdks+"10.0", "10.0.401"), want: sdks + "10.0", pin: "global.json", folder: "."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gatewaytest.Console()
			c.Spec(tc.spec...)
			for name, text := range tc.files {
				c.Say(name, strings.TrimSuffix(text, "\n"))
			}
			c.Images = tc.images
			_, asker, err := plantest.Asker(t.Context(), t, c)
			if err != nil {
				t.Fatal(err)
			}
			if got := asker.SDK.Image.Name; got != tc.want {
				t.Errorf("it builds with %s, want %s", got, tc.want)
			}
			pin := ""
			if asker.SDK.Pin != nil {
				pin = asker.SDK.Pin.Name
			}
			if pin != tc.pin || asker.Steps.Folder != tc.folder {
				t.Errorf("asked for by %q, run in %q", pin, asker.Steps.Folder)
			}
		})
	}
}

func TestSDKFails(t *testing.T) {
	const refused = "unexpected status from HEAD request: 401 Unauthorized"
	const advice = ". Look at the registry and its credentials, or name an image with such an SDK in sdk.image of the spec"
	for _, tc := range []struct {
		name   string
		spec   []string
		pin    string // a global.json
		files  map[string]string
		images map[string]gatewaytest.Image
		want   want
	}{
		{name: "none by default", spec: []string{"project: app"}, want: want{
			Says: "crosshull.yaml:1: SDK image: mcr.microsoft.com/dotnet/sdk:10.0: not found", At: []string{"crosshull.yaml:1"},
		}},
		{name: "none for a framework",
			files: map[string]string{
				"app/app.csproj": "<!--\n<TargetFramework>net99.0</TargetFramework> -->\n" +
					"<TargetFramework>net99.0</TargetFramework>",
			}, want: want{
				Says: "crosshull.yaml:1: SDK image: mcr.microsoft.com/dotnet/sdk:99.0: not found. app/app.csproj:3 targets .NET " +
					"99.0: target a version that has an image, or name an image in sdk.image",
				At: []string{"crosshull.yaml:1", "app/app.csproj:3"},
			}},
		{name: "none of the version", spec: []string{"project: app", "sdk:", "  version: 1"}, want: want{
			Says: "crosshull.yaml:4: SDK image: mcr.microsoft.com/dotnet/sdk:1: not found", At: []string{"crosshull.yaml:4"},
		}},
		{name: "no such image", spec: []string{"sdk: {image: example.com/sdk}"}, want: want{
			Says: "crosshull.yaml:2: SDK image: example.com/sdk:latest: not found", At: []string{"crosshull.yaml:2"},
		}},
		{name: "nobody has the version", pin: globalJSON("9.0.999", "disable"), want: want{
			Says: "global.json:3: asks for SDK 9.0.999, rollForward disable, but no image fits: " +
				"mcr.microsoft.com/dotnet/sdk:9.0.999 does not exist. You can also name an image in sdk.image of the spec",
			At: []string{"global.json:3"},
		}},
		{name: "another one than the version", pin: globalJSON("9.0.399", "latestPatch"),
			images: map[string]gatewaytest.Image{sdks + "9.0": sdk("9.0.400")}, want: want{
				Says: "global.json:3: asks for SDK 9.0.399, rollForward latestPatch, but no image fits: " +
					"mcr.microsoft.com/dotnet/sdk:9.0.399 does not exist; mcr.microsoft.com/dotnet/sdk:9.0 has SDK 9.0.400: " +
					`"rollForward": "latestFeature" would accept it. You can also name an image in sdk.image of the spec`,
				At: []string{"global.json:3"},
			}},
		{name: "previews", pin: `{"sdk": {"allowPrerelease": false}}`,
			images: map[string]gatewaytest.Image{sdks + "10.0": sdk("10.0.100-rc.1")}, want: want{
				Says: "global.json:1: asks for an SDK, but no image fits: mcr.microsoft.com/dotnet/sdk:10.0 has SDK " +
					`10.0.100-rc.1: "version": "10.0.100" would accept it. You can also name an image in sdk.image of the spec`,
				At: []string{"global.json:1"},
			}},
		{name: "the registry refuses", pin: globalJSON("9.0.100", "disable"),
			images: map[string]gatewaytest.Image{sdks + "9.0.100": {Err: errors.New(refused)}},
			want: want{
				Says: "global.json:3: asks for SDK 9.0.100, rollForward disable, but its image cannot " +
					"be reached: mcr.microsoft.com/dotnet/sdk:9.0.100: " + refused + advice,
				At: []string{"global.json:3"},
			}},
		{name: "the registry refuses what comes second", pin: "{\n\"sdk\": {\"version\": \"9.0.100\"}}",
			images: map[string]gatewaytest.Image{sdks + "9.0": {Err: errors.New(refused)}},
			want: want{
				Says: "global.json:2: asks for SDK 9.0.100, rollForward patch, but its image cannot " +
					"be reached: mcr.microsoft.com/dotnet/sdk:9.0: " + refused + advice,
				At: []string{"global.json:2"},
			}},
		{name: "the registry refuses, and no version is named", pin: `{"sdk": {"rollForward": "latestMajor"}}`,
			images: map[string]gatewaytest.Image{sdks + "10.0": {Err: errors.New(refused)}},
			want: want{
				Says: "global.json:1: asks for an SDK, but its image cannot be reached: mcr.microsoft.com/dotnet/sdk:10.0: " +
					refused + advice,
				At: []string{"global.json:1"},
			}},
		{name: "the image is for other machines", pin: globalJSON("9.0.100", "disable"),
			images: map[string]gatewaytest.Image{
				sdks + "9.0.100": {Err: errors.New("no match for platform in manifest: not found")},
			},
			want: want{
				Says: "global.json:3: asks for SDK 9.0.100, rollForward disable, but its image cannot be used: " +
					"mcr.microsoft.com/dotnet/sdk:9.0.100 has no image for linux/amd64. You can name another one " +
					"in sdk.image of the spec",
				At: []string{"global.json:3"},
			}},
		{name: "nobody has the version, but a later one", pin: globalJSON("9.0.101", "disable"),
			images: map[string]gatewaytest.Image{sdks + "9.0": sdk("9.0.110")}, want: want{
				Says: "global.json:3: asks for SDK 9.0.101, rollForward disable, but no image fits: " +
					"mcr.microsoft.com/dotnet/sdk:9.0.101 does not exist; mcr.microsoft.com/dotnet/sdk:9.0 has SDK 9.0.110: " +
					`"rollForward": "latestPatch" would accept it. You can also name an image in sdk.image of the spec`,
				At: []string{"global.json:3"},
			}},
		{name: "nobody has the version, and a later one is out of reach", pin: globalJSON("9.0.101", "disable"),
			images: map[string]gatewaytest.Image{sdks + "9.0": {Err: errors.New(refused)}}, want: want{
				Says: "global.json:3: asks for SDK 9.0.101, rollForward disable, but no image fits: " +
					"mcr.microsoft.com/dotnet/sdk:9.0.101 does not exist. You can also name an image in sdk.image of the spec",
				At: []string{"global.json:3"},
			}},
		{name: "nobody has the version, and a later one does not tell its own", pin: globalJSON("9.0.101", "disable"),
			images: map[string]gatewaytest.Image{sdks + "9.0": sdk("")}, want: want{
				Says: "global.json:3: asks for SDK 9.0.101, rollForward disable, but no image fits: " +
					"mcr.microsoft.com/dotnet/sdk:9.0.101 does not exist. You can also name an image in sdk.image of the spec",
				At: []string{"global.json:3"},
			}},
		{name: "the spec and global.json differ", spec: []string{"sdk: {version: \"10.0\"}"},
			pin:    globalJSON("9.0.100", "latestMinor"),
			images: map[string]gatewaytest.Image{sdks + "10.0": sdk("10.0.401")}, want: want{
				Says: "global.json:3: asks for SDK 9.0.100, rollForward latestMinor, but " +
					`mcr.microsoft.com/dotnet/sdk:10.0 has SDK 10.0.401: "rollForward": "latestMajor" would accept it`,
				At: []string{"global.json:3"},
			}},
		{name: "no JSON", pin: "{\n  \"sdk\": {},\n}",
			images: map[string]gatewaytest.Image{sdks + "10.0": sdk("10.0.401")}, want: want{
				Says: "global.json:3: not valid JSON: invalid character '}' looking for beginning of object key string",
				At:   []string{"global.json:3"},
			}},
		{name: "no SDK where dotnet is", pin: "{\"sdk\": {\n\"version\": \"10.0.401\", \"paths\": [\".dotnet\"]}}",
			images: map[string]gatewaytest.Image{sdks + "10.0.401": sdk("10.0.401")}, want: want{
				Says: `global.json:2: sdk.paths names no folder of the SDK image: add "$host$", which is where dotnet itself is`,
				At:   []string{"global.json:2"},
			}},
		{name: "the file says what to do",
			pin: `{"sdk": {"version": "9.0.999", "rollForward": "disable", "errorMessage": "Run it."}}`,
			want: want{
				Says: "global.json:1: asks for SDK 9.0.999, rollForward disable, but no image fits: " +
					"mcr.microsoft.com/dotnet/sdk:9.0.999 does not exist. You can also name an image in sdk.image of the spec. " +
					"Its errorMessage is: Run it.",
				At: []string{"global.json:1"},
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := gatewaytest.Console()
			c.Spec(tc.spec...)
			if tc.pin != "" {
				c.Say("global.json", strings.TrimSuffix(tc.pin, "\n"))
			}
			for name, text := range tc.files {
				c.Say(name, text)
			}
			c.Images = tc.images
			_, _, err := plantest.Asker(t.Context(), t, c)
			tc.want.Check(t, err)
		})
	}
	for _, tc := range []struct{ name, spec, pin, at string }{
		{"a version", "sdk: {version: \"10.0\"}", "", "crosshull.yaml:2"},
		{"a project", "project: app", "", "crosshull.yaml:1"},
		{"global.json", "project: app", globalJSON("10.0.100", "latestFeature"), "global.json:3"},
	} {
		t.Run("canceled with "+tc.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			c := gatewaytest.Console()
			c.Spec(tc.spec)
			if tc.pin != "" {
				c.Say("global.json", strings.TrimSuffix(tc.pin, "\n"))
			}
			c.Images[gatewaytest.SDK] = gatewaytest.Image{Do: func(ctx context.Context) error {
				cancel()
				return ctx.Err()
			}}
			_, _, err := plantest.Asker(ctx, t, c)
			want{Says: tc.at + ": SDK image: context canceled", At: []string{tc.at}, Canceled: true}.Check(t, err)
		})
	}
}
