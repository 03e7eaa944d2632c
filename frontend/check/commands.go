package check

import (
	"fmt"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// commandArchitecture finds programs and libraries that commands made for another machine than that of the image, such
// as for the one that builds.
func commandArchitecture(r *run, a *App) {
	for _, out := range a.Outputs {
		for _, text := range dotnet.WrongMachines(out.Made, out.RID) {
			r.warn(
				r.where(a, inKey("publish.after")),
				"%s: use $RID or $TARGETARCH in the command, and it runs for each platform",
				text,
			)
		}
	}
}

// tools are the images with tools, with the places that name them.
func (a *App) tools(r *run) []located {
	var all []located
	for i, image := range a.Tools {
		key := fmt.Sprintf("publish.tools.%d.image", i)
		all = append(all, located{image, func() place { return r.where(a, inKey(key), inKey("publish.tools")) }})
	}
	return all
}
