package lab

import "context"

// PushDockerfileFrontend pushes docker/dockerfile:1 to the lab's registry. It is compiled from the sources of the lab's
// BuildKit, and has the labels of the real image. If the lab's images are real, it does nothing. The lab has to be up.
func (l *Lab) PushDockerfileFrontend(ctx context.Context) error {
	if !l.LocalImages() {
		return nil
	}
	return l.PushProgram(
		ctx,
		l.registry+"/docker/dockerfile:1",
		"github.com/moby/buildkit/frontend/dockerfile/cmd/dockerfile-frontend",
		map[string]string{
			"moby.buildkit.frontend.network.none": "true",
			"moby.buildkit.frontend.caps": "moby.buildkit.frontend.inputs,moby.buildkit.frontend.subrequests," +
				"moby.buildkit.frontend.contexts,moby.buildkit.frontend.gitquerystring",
		},
	)
}
