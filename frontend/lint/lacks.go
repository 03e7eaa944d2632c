package lint

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/tree"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// WarnLacks warns that a build passed only the second time, with the whole context. err is why it failed before, with
// the diagnostics of its step. The warning names the files that were missing, as far as the diagnostics name them.
func WarnLacks(
	ctx context.Context, req *request.Request, t *tree.Tree, err error, diagnostics []dotnet.Diagnostic,
) {
	if !Blames(diagnostics) {
		WarnPassed(ctx, req, err, diagnostics)
		return
	}
	var lacked []string
	for _, d := range diagnostics {
		for _, p := range dotnet.NamedPath.FindAllString(d.Message, -1) {
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

// Blames tells whether diagnostics are about files.
func Blames(diagnostics []dotnet.Diagnostic) bool {
	return slices.ContainsFunc(diagnostics, dotnet.Diagnostic.Blames)
}

// WarnPassed warns that a step failed, and passed when it ran again. What it said names no file, so it may have failed
// for want of memory or by the network, and may pass the first time in the next build.
func WarnPassed(ctx context.Context, req *request.Request, err error, diagnostics []dotnet.Diagnostic) {
	req.Warn(ctx, "a step failed, and passed when it ran again with all files: "+gateway.Cause(err, diagnostics)+
		". Its error names no file, so the cause may be too little memory, or the network. If each build warns of this, "+
		"name the files that the step reads in publish.inputs")
}
