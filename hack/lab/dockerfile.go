package lab

import "context"

// PushDockerfileFrontend puts docker/dockerfile:1 into the lab's registry, compiled from the sources of the BuildKit
// that the lab runs, and labelled as upstream's. Where images are real, so is that one. The lab has to be up.
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
