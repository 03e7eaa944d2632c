package lint

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/tree"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// namedPath finds what may be a path of the context in a message.
var namedPath = regexp.MustCompile(`[^\s"'()\[\]]*[/\\][^\s"'()\[\]]+`)

// WarnLacks warns that a build passed only with the whole context. It names the files that were missing before, as far
// as the errors of the step name them.
func WarnLacks(ctx context.Context, req *request.Request, t *tree.Tree, diagnostics []dotnet.Diagnostic) {
	var lacked []string
	for _, d := range diagnostics {
		for _, p := range namedPath.FindAllString(d.Message, -1) {
			p = strings.TrimPrefix(strings.ReplaceAll(p, `\`, "/"), xllb.SourceDir+"/")
			n, ok := t.Name(strings.TrimRight(p, ".,:;"))
			if !ok {
				continue
			}
			item := n.Path
			if strings.ContainsAny(item, ",:#&*!|>%@`{}") { // it may mean something else to YAML
				item = strconv.Quote(item)
			}
			if !slices.Contains(lacked, item) {
				lacked = append(lacked, item)
			}
		}
	}
	text := "the build reads files that MSBuild does not name. It ran once more with the whole context. " +
		"To make it fast again, name the files in publish.inputs"
	if len(lacked) > 0 {
		text += fmt.Sprintf(", as in publish: {inputs: [%s]}", strings.Join(lacked, ", "))
	}
	req.Warn(ctx, text)
}
