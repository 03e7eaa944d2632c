package lab

import "context"

// ScannerImage is the scanner of buildx's --sbom. If docker.io cannot be reached, the lab's registry is its mirror.
const ScannerImage = "docker.io/docker/buildkit-syft-scanner:stable-1"

// ScannerRef is where [Lab.PushScanner] puts the stand-in.
func (l *Lab) ScannerRef() string { return l.registry + "/docker/buildkit-syft-scanner:stable-1" }

// PushScanner pushes cmd/labscanner to the lab's registry in place of [ScannerImage], if the lab's images are
// stand-ins. The lab has to be up.
func (l *Lab) PushScanner(ctx context.Context) error {
	if !l.LocalImages() {
		return nil
	}
	return l.PushProgram(ctx, l.ScannerRef(), "github.com/crosshull/crosshull/hack/cmd/labscanner", nil)
}
