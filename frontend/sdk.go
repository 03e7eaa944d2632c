package frontend

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/moby/buildkit/solver/errdefs"
	"github.com/moby/buildkit/solver/pb"

	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// sdk resolves the image that builds, for the build platform: what the spec names, else what global.json asks for, else
// what the projects' TargetFramework needs. Whatever it is, global.json has to accept it: the SDK in it would refuse.
func (b *build) sdk(ctx context.Context, files dotnet.Files) (*image, error) {
	pin, err := b.globalJSON(files)
	if err != nil {
		return nil, err
	}
	b.pin = pin
	if img, err := b.namedSDK(ctx); img != nil || err != nil {
		if err == nil && pin != nil && !pin.Satisfied(version(img)) {
			return nil, pin.errorf("SDK %s of %s does not do: %s", version(img), img.name, pin.Advice(version(img)))
		}
		return img, err
	}
	if pin == nil {
		var dts [][]byte
		for _, dt := range files {
			dts = append(dts, dt)
		}
		img, err := b.images.resolve(ctx, dotnet.SDKRepository+":"+dotnet.SDKFor(dts), b.bc.BuildPlatforms[0], "[sdk] ")
		if err != nil {
			return nil, b.at("sdk", fmt.Errorf("SDK image: %v", err))
		}
		return img, nil
	}
	var tried []string
	for _, tag := range pin.Tags() {
		ref := dotnet.SDKRepository + ":" + tag
		img, err := b.images.resolve(ctx, ref, b.bc.BuildPlatforms[0], "[sdk] ")
		switch {
		case err != nil && !isNoImage(err):
			return nil, fmt.Errorf("SDK image: %v", err)
		case err != nil:
			tried = append(tried, ref+" does not exist")
		case pin.Satisfied(version(img)):
			return img, nil
		default:
			tried = append(tried, fmt.Sprintf("%s is %s; %s", ref, version(img), pin.Advice(version(img))))
		}
	}
	return nil, pin.errorf("no image of the SDK does: %s. Or name one in sdk.image of the spec", strings.Join(tried, "; "))
}

// namedSDK resolves the SDK that the spec names, if it does.
func (b *build) namedSDK(ctx context.Context) (*image, error) {
	ref, key := "", ""
	switch {
	case b.spec.SDK.Image != "":
		ref, key = b.spec.SDK.Image, "sdk.image"
	case b.spec.SDK.Version != "":
		ref, key = dotnet.SDKRepository+":"+b.spec.SDK.Version, "sdk.version"
	default:
		return nil, nil
	}
	img, err := b.images.resolve(ctx, ref, b.bc.BuildPlatforms[0], "[sdk] ")
	if err != nil {
		// Not %w: on its way to the user, an error of the gateway keeps its own message and loses ours.
		return nil, b.at(key, fmt.Errorf("SDK image: %v", err))
	}
	return img, nil
}

// pin is a global.json that asks for an SDK.
type pin struct {
	*dotnet.GlobalJSON
	name string
	data []byte
}

// errorf is an error that points at the version in the file.
func (p *pin) errorf(format string, args ...any) error {
	what := "asks for an SDK"
	if p.Version != "" {
		what = fmt.Sprintf("asks for SDK %s, rollForward %s", p.Version, p.RollForward)
	}
	return p.at(fmt.Errorf("%s, and "+format, append([]any{what}, args...)...))
}

func (p *pin) at(err error) error {
	line := max(p.Line, 1)
	return errdefs.WithSource(fmt.Errorf("%s:%d: %w", p.name, line, err), &errdefs.Source{
		Info:   &pb.SourceInfo{Data: p.data, Filename: p.name, Language: "JSON"},
		Ranges: []*pb.Range{{Start: &pb.Position{Line: int32(line)}, End: &pb.Position{Line: int32(line)}}},
	})
}

func (b *build) globalJSON(files dotnet.Files) (*pin, error) {
	name, dt := globalJSON(files, b.spec.Project)
	if dt == nil {
		return nil, nil
	}
	b.graph.Folder = path.Dir(name)
	g, err := dotnet.ParseGlobalJSON(dt)
	if err != nil {
		if g == nil {
			g = &dotnet.GlobalJSON{Line: 1}
		}
		return nil, (&pin{g, name, dt}).at(err)
	}
	if g == nil {
		return nil, nil
	}
	return &pin{g, name, dt}, nil
}

// version is what an SDK image says its version is; Microsoft's do.
func version(img *image) string {
	if img.config == nil {
		return ""
	}
	return xllb.Getenv(img.config.Config.Env, "DOTNET_SDK_VERSION")
}

// isNoImage tells a tag that does not exist from a registry that does not answer. The gateway gives text only.
func isNoImage(err error) bool { return strings.Contains(err.Error(), "not found") }
