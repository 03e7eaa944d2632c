package plan

import (
	"fmt"

	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/request"
)

// commands are the commands of the spec as we print them.
func commands(req *request.Request) []report.Command {
	var all []report.Command
	for i, c := range req.Spec.Publish.Before {
		told := report.Command{Key: fmt.Sprintf("publish.before.%d", i), Run: c.Run, Inputs: c.Inputs}
		if len(c.Inputs) == 0 {
			told.Reads = "the whole context, except files such as README.md: an edit of any file runs it again, and the " +
				"client sends all files (to avoid that, list what it reads in inputs)"
		}
		all = append(all, told)
	}
	for i, c := range req.Spec.Publish.After {
		told := report.Command{
			Key: fmt.Sprintf("publish.after.%d", i), Run: c.Run, Inputs: c.Inputs, PerPlatform: req.PlatformVars(),
		}
		if len(c.Inputs) == 0 {
			told.Reads = "what was published, and what publish reads"
		}
		all = append(all, told)
	}
	return all
}
