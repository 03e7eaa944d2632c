package gateway

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/containerd/platforms"
	dockerspec "github.com/moby/docker-image-spec/specs-go/v1"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosshull/crosshull/frontend/gateway/gatewaytest"
)

// What a registry has is told apart from what kept it from answering: errors as BuildKit 0.34 gives them.
func TestBasesThatCannotBeHad(t *testing.T) {
	const ref = "mcr.microsoft.com/dotnet/runtime:10.0"
	of := func(arch string) *dockerspec.DockerOCIImage {
		img := &dockerspec.DockerOCIImage{}
		img.OS, img.Architecture = "linux", arch
		return img
	}
	index := map[string]*dockerspec.DockerOCIImage{"linux/amd64": of("amd64"), "linux/arm64": of("arm64")}
	for _, tc := range []struct {
		name     string
		img      *gatewaytest.Image
		want     string
		image    bool // there is none of that name
		platform bool // there is none for the platform
	}{
		{"an index without the platform", &gatewaytest.Image{Configs: index},
			ref + " has no image for linux/s390x: use linux/amd64, linux/arm64", false, true},
		{"an image for another platform",
			&gatewaytest.Image{Configs: map[string]*dockerspec.DockerOCIImage{"linux/s390x": of("amd64")}},
			ref + " has no image for linux/s390x: it is for linux/amd64", false, true},
		{"no such tag", nil, ref + ": not found", true, false},
		{"no such tag, by code", &gatewaytest.Image{Err: status.Error(codes.NotFound, "nothing here")}, "nothing here", true,
			false},
		{"no connection",
			&gatewaytest.Image{Err: errors.New(`failed to do request: Head "https://mcr.microsoft.com": dial tcp: lookup ` +
				`mcr.microsoft.com: no such host`)}, "no such host", false, false},
		{"no password",
			&gatewaytest.Image{Err: errors.New("unexpected status from HEAD request to https://mcr.microsoft.com: " +
				"401 Unauthorized")}, "401 Unauthorized", false, false},
		{"asked too often",
			&gatewaytest.Image{Err: errors.New("unexpected status from HEAD request to https://mcr.microsoft.com: " +
				"429 Too Many Requests")}, "429 Too Many Requests", false, false},
		{"denied",
			&gatewaytest.Image{Err: errors.New(`could not resolve image due to policy: source "docker-image://` + ref +
				`" denied by policy: source denied by policy`)}, "denied by policy", false, false},
		{"a helper for passwords that is missing",
			&gatewaytest.Image{Err: errors.New(`exec: "docker-credential-x": executable file not found in $PATH`)},
			"not found in $PATH", false, false},
		{"given up", &gatewaytest.Image{Err: context.Canceled}, "context canceled", false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			gw := &gatewaytest.Client{}
			if tc.img != nil {
				gw.Images = map[string]gatewaytest.Image{ref: *tc.img}
			}
			c := newClient(t, gw)
			others := []ocispecs.Platform{platforms.MustParse("linux/amd64"), platforms.MustParse("linux/arm64")}
			_, err := c.Bases(t.Context(), ref, []ocispecs.Platform{platforms.MustParse("linux/s390x")}, others)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("error %v, want %s", err, tc.want)
			}
			if NoSuchImage(err) != tc.image || NoSuchPlatform(err) != tc.platform {
				t.Errorf("%v: no such image %v, no such platform %v", err, NoSuchImage(err), NoSuchPlatform(err))
			}
			if strings.Contains(err.Error(), "has no image") != tc.platform {
				t.Errorf("says what the registry did not: %v", err)
			}
		})
	}
}

// An image for one platform that is no index does for that one.
func TestImage(t *testing.T) {
	const ref = "mcr.microsoft.com/dotnet/sdk:10.0"
	img := &dockerspec.DockerOCIImage{}
	img.Config.Env = []string{"DOTNET_SDK_VERSION=10.0.401"}
	c := newClient(t, &gatewaytest.Client{Images: map[string]gatewaytest.Image{
		ref: {Configs: map[string]*dockerspec.DockerOCIImage{"linux/amd64": img}},
	}})
	got, err := c.Image(t.Context(), ref, c.BuildPlatform(), "[sdk] ")
	if err != nil {
		t.Fatal(err)
	}
	if got.Env("DOTNET_SDK_VERSION") != "10.0.401" || got.Env("PATH") != "" ||
		!strings.HasPrefix(got.Pin(), ref+"@sha256:") {
		t.Errorf("%+v", got)
	}
	if _, err := c.Image(t.Context(), "Not A Reference", c.BuildPlatform(), ""); err == nil ||
		!strings.Contains(err.Error(), "is not an image reference") {
		t.Errorf("error %v", err)
	}
}
