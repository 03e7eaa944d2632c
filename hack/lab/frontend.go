package lab

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/crosshull/crosshull/hack/lab/tools"
)

// FrontendImage is the name of the frontend in specs. The lab's registry is a mirror of ghcr.io.
const FrontendImage = "ghcr.io/crosshull/crosshull:1"

// FrontendOutput says how the image of the frontend is compressed, here and in a release, as options of buildx's
// --output. Each builder that has no frontend yet waits for this image. With zstd it is a tenth smaller than with gzip,
// and each version of BuildKit that the frontend supports can read it.
const FrontendOutput = "oci-mediatypes=true,compression=zstd,compression-level=11,force-compression=true"

// FrontendRef is where [Lab.PushFrontend] puts the frontend.
func (l *Lab) FrontendRef() string { return l.registry + "/crosshull/crosshull:1" }

// PushFrontend builds the frontend image from the repository's Dockerfile and pushes it to the lab's registry, with
// buildx's progress on w. The lab has to be up. An unchanged frontend is built from cache.
func (l *Lab) PushFrontend(ctx context.Context, w io.Writer) error {
	moduleDir, err := tools.ModuleDir(ctx)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(
		ctx,
		l.Bin("docker"),
		"buildx",
		"build",
		"--provenance=false",
		"--output=type=image,name="+l.FrontendRef()+",push=true,"+FrontendOutput,
		filepath.Dir(moduleDir),
	)
	cmd.Env = append(os.Environ(), l.Env()...)
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the frontend image: %w", err)
	}
	return nil
}
