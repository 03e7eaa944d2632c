package result_test

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

const (
	core   = "Microsoft.NETCore.App/10.0.0"
	web    = "Microsoft.AspNetCore.App/10.0.0"
	chosen = "registry.example.com/base:1"
)

// needing is an app that turns out to need frameworks.
func needing(properties gatewaytest.Item, frameworks []string, spec ...string) *gatewaytest.Client {
	c := app("linux/amd64,linux/arm64", properties, spec...)
	c.Images[gatewaytest.Runtime] = gatewaytest.Multi("APP_UID=1654", "DOTNET_VERSION=10.0.12")
	c.Images[gatewaytest.AspNet] = gatewaytest.Multi(
		"APP_UID=1654", "DOTNET_VERSION=10.0.12", "ASPNET_VERSION=10.0.12", "ASPNETCORE_HTTP_PORTS=8080")
	c.Step(gatewaytest.Step{
		Name: publish, Files: gatewaytest.Needs(gatewaytest.Published([]string{"app"}), frameworks...),
	})
	return c
}

// The base has the frameworks that the published app needs, though the project itself names none of them.
func TestBaseOfFrameworks(t *testing.T) {
	for _, tc := range []struct {
		name       string
		frameworks []string
		base, port string
	}{
		{"as inferred", []string{core}, gatewaytest.Runtime, ""},
		{"of a package", []string{core, web}, gatewaytest.AspNet, "8080/tcp"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := needing(nil, tc.frameworks)
			res := export(t, c)
			for _, platform := range []string{"linux/amd64", "linux/arm64"} {
				img := config(t, res, platform)
				if _, ok := img.Config.ExposedPorts[tc.port]; ok != (tc.port != "") {
					t.Errorf("%s has ports %v", platform, img.Config.ExposedPorts)
				}
			}
			ran := c.Ran()
			for _, base := range []string{gatewaytest.Runtime, gatewaytest.AspNet} {
				used := slices.ContainsFunc(ran, func(name string) bool {
					return strings.HasPrefix(name, "docker-image://"+base+"@")
				})
				if used != (base == tc.base) {
					t.Errorf("%s is used: %v", base, used)
				}
			}
			if n := commands(c)[publish+" "+project]; n != 1 {
				t.Errorf("published %d times", n)
			}
			if got := told(t, res).Apps[0].Images[0].Base.Reference; got != tc.base {
				t.Errorf("the report tells of %s", got)
			}
		})
	}
}

// A base on which the app does not start is refused before anything is pushed, if that is sure.
func TestBaseMisfits(t *testing.T) {
	at := func(image string) string { return "base: {image: '" + image + "'}" }
	given := func(image string) gatewaytest.Item {
		return gatewaytest.Item{"ContainerBaseImage": image, "_CrosshullChosenBaseImage": image}
	}
	const skip = ". To build the image anyway, write # check=skip=RuntimeMismatch below # syntax"
	const not = "the app does not start on "
	noWeb := not + gatewaytest.Runtime + ", which has no Microsoft.AspNetCore.App: it needs Microsoft.AspNetCore.App " +
		"10.0.0. Write base: {image: " + gatewaytest.AspNet + "} into the spec, or name another base " +
		"that has it, or set no base, and the SDK chooses one" + skip
	shared := func(names ...string) fstest.MapFS {
		files := fstest.MapFS{}
		for _, name := range names {
			files["usr/share/dotnet/shared/"+name+"/a.dll"] = &fstest.MapFile{}
		}
		return files
	}
	for _, tc := range []struct {
		name       string
		properties gatewaytest.Item
		frameworks []string
		spec       []string
		env        []string // of the chosen base
		files      fstest.MapFS
		says       string // empty: it is built
	}{
		{"of Microsoft", given(gatewaytest.Runtime), []string{core, web}, []string{at(gatewaytest.Runtime)}, nil, nil,
			"crosshull.yaml:2: " + noWeb},
		{"of the project", given(gatewaytest.Runtime), []string{core, web}, nil, nil, nil, "crosshull.yaml:1: " + noWeb},
		{"all the same", given(gatewaytest.Runtime), []string{core, web}, []string{"# check=skip=RuntimeMismatch"}, nil,
			nil, ""},
		{"no runtime", given(deps), []string{core}, nil, nil, nil,
			"crosshull.yaml:1: " + not + deps + ", which has no Microsoft.NETCore.App…"},
		{"newer than the inferred base", nil, []string{"Microsoft.NETCore.App/10.0.13"}, nil, nil, nil,
			"crosshull.yaml:1: " + not + gatewaytest.Runtime + ", which has Microsoft.NETCore.App 10.0.12: it needs " +
				"Microsoft.NETCore.App 10.0.13. Write base: {image: " +
				"mcr.microsoft.com/dotnet/runtime:10.0.13} into the spec, or name another base that has it" + skip},
		{"unknown framework", nil, []string{core, "Odd.App/1.0.0"}, nil, nil, nil,
			"crosshull.yaml:1: " + not + gatewaytest.Runtime + ", which has no Odd.App: it needs Odd.App 1.0.0. " +
				"Name a base that has it in base.image of the spec" + skip},
		{"nothing known", given(chosen), []string{core, web}, nil, []string{"A=b"}, shared("Odd.App/1.0.0"), ""},
		{"known by its environment", given(chosen), []string{core, web}, nil,
			[]string{"DOTNET_VERSION=10.0.1", "ASPNET_VERSION=10.0.1"}, shared("Odd.App/1.0.0"), ""},
		{"older, by its files", given(chosen), []string{core}, nil, []string{"DOTNET_VERSION=9.0.1"},
			shared("Microsoft.NETCore.App/9.0.1", "Microsoft.NETCore.App/8.0.1"), "crosshull.yaml:1: " + not + chosen +
				", which has Microsoft.NETCore.App 8.0.1, 9.0.1: it needs Microsoft.NETCore.App 10.0.0…"},
		{"with another runtime beside", given(chosen), []string{core}, nil, []string{"DOTNET_VERSION=9.0.1"},
			shared("Microsoft.NETCore.App/9.0.1", "Microsoft.NETCore.App/10.0.1"), ""},
		{"with no framework", given(chosen), []string{core, web}, nil, []string{"DOTNET_VERSION=10.0.1"},
			shared("Microsoft.NETCore.App/10.0.1"), "crosshull.yaml:1: " + not + chosen +
				", which has no Microsoft.AspNetCore.App…"},
		{"with a runtime elsewhere", given(chosen), []string{core, web}, nil, []string{"DOTNET_VERSION=10.0.1"}, nil, ""},
		{"rolled forward", given(chosen), []string{"Microsoft.NETCore.App/9.0.0"},
			[]string{"image: {env: {DOTNET_ROLL_FORWARD: Major}}"}, []string{"DOTNET_VERSION=10.0.1"}, nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := needing(tc.properties, tc.frameworks, tc.spec...)
			c.Images[chosen] = gatewaytest.Multi(tc.env...)
			c.Step(gatewaytest.Step{Name: "docker-image://" + chosen, Files: tc.files})
			_, err := build(t.Context(), t, c)
			if tc.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			line := strings.SplitN(tc.says, ": ", 2)[0]
			want{Says: tc.says, At: []string{line}}.Check(t, err)
			if merges(c) > 0 {
				t.Error("images were put together")
			}
		})
	}
}

// A document about packages is about the base that the image would have.
func TestBaseOfDocument(t *testing.T) {
	c := needing(nil, nil)
	c.Set("target", "sbom")
	c.Step(restored(strings.Replace(assets, `"type": "package", "runtime"`,
		`"type": "package", "frameworkReferences": ["Microsoft.AspNetCore.App"], "runtime"`, 1)))
	delete(c.Images, gatewaytest.AspNet)
	_, err := build(t.Context(), t, c)
	want{
		Says: "crosshull.yaml:1: base image: " + gatewaytest.AspNet + ": not found", At: []string{"crosshull.yaml:1"},
	}.Check(t, err)
}

// Machine code of packages for another C library than that of the base is told.
func TestNatives(t *testing.T) {
	c := needing(gatewaytest.Item{"ContainerBaseImage": gatewaytest.Runtime + "-alpine"}, []string{core})
	c.Images[gatewaytest.Runtime+"-alpine"] = gatewaytest.Multi("APP_UID=1654")
	files := gatewaytest.Needs(gatewaytest.Published([]string{"app"}, "linux-x64"), core)
	files["layers.txt"].Data = append(files["layers.txt"].Data, "native P/runtimes/linux-x64/native/libp.so\n"...)
	c.Step(gatewaytest.Step{Name: publish, Files: files})
	export(t, c)
	warned := slices.DeleteFunc(c.Warnings(), func(w string) bool { return !strings.HasPrefix(w, "NativeAssets: ") })
	const says = "libp.so of package P is for linux-x64 (glibc), and not for linux-musl-x64"
	if len(warned) != 2 || !strings.Contains(warned[0], says) {
		t.Errorf("got %q", warned)
	}
}
