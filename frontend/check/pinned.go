package check

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/crosshull/crosshull/frontend/spec"
)

var commit = regexp.MustCompile(`#([0-9a-f]{40}|[0-9a-f]{64})(:|$)|[?&](checksum|commit)=`)

func unpinnedFile(r *run, a *App) {
	for i, f := range a.Spec.Files {
		key := fmt.Sprintf("files.%d.", i)
		if f.Image != "" && !strings.Contains(f.Image, "@") {
			r.warn(r.where(a, inKey(key+"image")), "%s can be another image tomorrow: name it with its digest", f.Image)
		}
		if len(f.From) != 1 || !spec.IsURL(f.From[0]) || len(f.Checksum) > 0 {
			continue
		}
		url := spec.ShownURL(f.From[0])
		switch {
		case !spec.IsGit(f.From[0]):
			r.warn(
				r.where(a, inKey(key+"from")),
				"%s has no checksum: run a build, and write the checksum that its error shows",
				url,
			)
		case !commit.MatchString(f.From[0]):
			r.warn(r.where(a, inKey(key+"from")), "%s can have another commit tomorrow: write it as checksum", url)
		}
	}
}
