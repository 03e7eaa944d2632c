package dockerfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/plan"
	xllb "github.com/crosshull/crosshull/llb"
)

// homeFolder is an empty folder, in the stage that can run commands. It is copied to home folders, and to the folders
// above them, which would get the owner of the home folder otherwise.
const homeFolder = "/folders/home"

// homes are the folders that home folders are copied from: one, as all of them are empty.
func (a *app) homes() []string {
	if slices.ContainsFunc(a.Targets, func(t plan.Target) bool { return slices.ContainsFunc(t.Users.Made(), isEmpty) }) {
		return []string{homeFolder}
	}
	return nil
}

func isEmpty(f xllb.UserFile) bool { return f.Data == nil }

// users writes the files that list users. They are written as a whole, because useradd would have to run in the image,
// which takes an emulator for other platforms.
func (s *stage) users() {
	for i, f := range s.Users.Made() {
		if i == 0 {
			s.comment("The users and groups of the base above, and those of the spec: another base may have others.")
		}
		flags := flag("chown", fmt.Sprintf("%d:%d", f.UID, f.GID)) + " " + flag("chmod", fmt.Sprintf("%04o", f.Mode))
		if isEmpty(f) {
			to := plain(strings.TrimSuffix(f.Path, "/") + "/")
			s.put("image.users", copyLine(flags+" --from="+s.folders, homeFolder, word(to)), to)
			continue
		}
		why := unheld(f.Path)
		if strings.ContainsAny(f.Path, " \t<\\\"") {
			why = "has a path that no COPY of text can have"
		}
		for line := range strings.SplitSeq(string(f.Data), "\n") {
			if why == "" {
				why = unheld(line)
			}
		}
		if why != "" {
			s.left("the file "+f.Path, why)
			continue
		}
		begin, rest := heredoc(string(f.Data))
		s.line("COPY %s %s %s\n%s", flags, begin, word(plain(f.Path)), rest)
	}
}
