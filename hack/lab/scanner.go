package lab

import "context"

// ScannerImage is the scanner that buildx's --sbom means, docker.io being mirrored by the lab's registry where it
// cannot be reached.
const ScannerImage = "docker.io/docker/buildkit-syft-scanner:stable-1"

// ScannerRef is where [Lab.PushScanner] puts the stand-in.
func (l *Lab) ScannerRef() string { return l.registry + "/docker/buildkit-syft-scanner:stable-1" }

// PushScanner pushes a stand-in for [ScannerImage] to the lab's registry, cmd/labscanner, where images are stand-ins.
// The lab has to be up.
func (l *Lab) PushScanner(ctx context.Context) error {
	if !l.LocalImages() {
		return nil
	}
	return l.PushProgram(ctx, l.ScannerRef(), "github.com/crosshull/crosshull/hack/cmd/labscanner", nil)
}
