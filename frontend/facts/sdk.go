package facts

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// SDK is the image that builds, for the build platform.
type SDK struct {
	Image *gateway.Image
	// Pin is the global.json that asks for an SDK; nil if none does.
	Pin *Pin

	folder string // of the global.json, also of one that asks for no SDK
}

// Version is the version of the SDK, if the image tells it, as Microsoft's do.
func (s SDK) Version() string { return version(s.Image) }

func version(img *gateway.Image) string { return img.Env("DOTNET_SDK_VERSION") }

// Pin is a global.json that asks for an SDK.
type Pin struct {
	*dotnet.GlobalJSON
	Name string
	data []byte
}

// chooseSDK resolves the image that builds: what the spec names, else what global.json asks for, else what the
// projects' TargetFramework needs. In any case global.json has to accept it, or the SDK would refuse to run.
func chooseSDK(ctx context.Context, req *request.Request, files dotnet.Files) (*SDK, error) {
	file, folder := findPin(files, req.Spec.Project)
	pin := file
	if file != nil && file.Ignored != "" {
		pin = nil
	}
	img, err := namedSDK(ctx, req)
	switch {
	case err != nil:
	case img == nil && pin == nil:
		img, err = neededSDK(ctx, req, files)
	case img == nil:
		img, err = pinnedSDK(ctx, req, pin, files)
	case pin != nil && !pin.Satisfied(version(img)):
		err = pin.errorf("but %s has SDK %s: %s", img.Name, version(img), pin.Advice(version(img)))
	}
	if err == nil && file != nil && file.Fails(version(img)) != "" {
		err = file.at(errors.New(file.Fails(version(img))))
	}
	return &SDK{img, pin, folder}, err
}

func resolveSDK(ctx context.Context, req *request.Request, ref string) (*gateway.Image, error) {
	return req.Gateway.Image(ctx, ref, req.Gateway.BuildPlatform(), "[sdk] ")
}

// namedSDK resolves the SDK that the spec names, nil where it names none.
func namedSDK(ctx context.Context, req *request.Request) (*gateway.Image, error) {
	ref, key := req.Spec.SDK.Image, "sdk.image"
	if req.Spec.SDK.Version != "" {
		ref, key = dotnet.SDKRepository+":"+req.Spec.SDK.Version, "sdk.version"
	}
	if ref == "" {
		return nil, nil
	}
	img, err := resolveSDK(ctx, req, ref)
	if err != nil {
		return nil, req.At(key, fmt.Errorf("SDK image: %w", err))
	}
	return img, nil
}

// neededSDK resolves the SDK that the newest TargetFramework needs.
func neededSDK(ctx context.Context, req *request.Request, files dotnet.Files) (*gateway.Image, error) {
	tag := neededTag(req, files)
	img, err := resolveSDK(ctx, req, dotnet.SDKRepository+":"+tag)
	if err == nil {
		return img, nil
	}
	name := targeting(files, tag)
	if !gateway.NoSuchImage(err) || name == "" {
		return nil, req.At("sdk", fmt.Errorf("SDK image: %w", err))
	}
	line := dotnet.TargetLine(files[name], tag)
	err = req.At("sdk", fmt.Errorf("SDK image: %w. %s:%d targets .NET %s: target a version that has an image, or name an "+
		"image in sdk.image", err, name, line, tag))
	return nil, gateway.AtLine(err, name, files[name], line)
}

// targeting is the first file that targets a version of .NET which is not the default; empty if none does.
func targeting(files dotnet.Files, tag string) string {
	if tag == dotnet.DefaultSDK {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if dotnet.SDKFor(dotnet.Files{name: files[name]}) == tag {
			return name
		}
	}
	return ""
}

// neededTag is that of the SDK for the projects that a target builds, as far as the spec names them.
func neededTag(req *request.Request, files dotnet.Files) string {
	projects := append([]string{req.Spec.Project}, req.Spec.Tests.Projects...)
	for _, also := range req.Spec.Publish.Also {
		projects = append(projects, also.Project)
	}
	return dotnet.SDKFor(files, projects...)
}

// pinnedSDK resolves the SDK that global.json asks for.
func pinnedSDK(ctx context.Context, req *request.Request, pin *Pin, files dotnet.Files) (*gateway.Image, error) {
	tags := pin.Tags(neededTag(req, files))
	accepted := len(tags)
	if channel := pin.Channel(); channel != "" && !slices.Contains(tags, channel) {
		tags = append(tags, channel) // nothing that fits, but it tells what the file could ask for
	}
	var tried []string
	for i, tag := range tags {
		ref := dotnet.SDKRepository + ":" + tag
		img, err := resolveSDK(ctx, req, ref)
		switch {
		case i >= accepted && (err != nil || version(img) == ""):
		case err != nil && !gateway.NoSuchImage(err):
			return nil, pin.unreached(err)
		case err != nil:
			tried = append(tried, ref+" does not exist")
		case pin.Satisfied(version(img)):
			return img, nil
		default:
			tried = append(tried, fmt.Sprintf("%s has SDK %s: %s", ref, version(img), pin.Advice(version(img))))
		}
	}
	return nil, pin.errorf("but no image fits: %s. You can also name an image in sdk.image of the spec",
		strings.Join(tried, "; "))
}

// unreached is the error if no registry says that it has, or does not have, the image for the builder.
func (p *Pin) unreached(err error) error {
	switch {
	case gateway.IsCanceled(err):
		return p.at(fmt.Errorf("SDK image: %w", err))
	case gateway.NoSuchPlatform(err):
		return p.errorf("but its image cannot be used: %w. You can name another one in sdk.image of the spec", err)
	}
	return p.errorf("but its image cannot be reached: %w. Look at the registry and its credentials, or name an image "+
		"with such an SDK in sdk.image of the spec", err)
}

// findPin reads the global.json that the SDK will find for the project, nil if it asks for no SDK. folder is its folder
// in any case.
func findPin(files dotnet.Files, project string) (pin *Pin, folder string) {
	name := dotnet.NearestGlobalJSON(files, project)
	if name == "" {
		return nil, ""
	}
	if g := dotnet.ParseGlobalJSON(files[name]); g != nil {
		pin = &Pin{g, name, files[name]}
	}
	return pin, path.Dir(name)
}

// errorf is an error that points at the version in the file.
func (p *Pin) errorf(format string, args ...any) error {
	what := "asks for an SDK"
	if p.Version != "" {
		what = fmt.Sprintf("asks for SDK %s, rollForward %s", p.Version, p.RollForward)
	}
	err := fmt.Errorf("%s, "+format, append([]any{what}, args...)...)
	if p.ErrorMessage != "" {
		err = fmt.Errorf("%w. Its errorMessage is: %s", err, p.ErrorMessage)
	}
	return p.at(err)
}

func (p *Pin) at(err error) error {
	line := max(p.Line, 1)
	return gateway.AtLine(fmt.Errorf("%s:%d: %w", p.Name, line, err), p.Name, p.data, line)
}
