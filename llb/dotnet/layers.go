package dotnet

import (
	"fmt"
	"slices"
	"strings"
)

// Layers are the folders that publish leaves, from what changes seldom to what changes with every edit. MSBuild says
// what each file is (target CrosshullLayers). The assets of single platforms are apart, in [LayerRuntimes].
var Layers = []string{LayerPackages, LayerPrerelease, LayerRuntimes, LayerProjects, LayerAssets, LayerApp}

// The layers of an app.
const (
	LayerPackages   = "packages"         // files of packages
	LayerPrerelease = "packages-preview" // of packages whose version is a pre-release
	LayerRuntimes   = "runtimes"         // of packages, for one runtime identifier: a folder for each
	LayerProjects   = "projects"         // of projects that the app references
	LayerAssets     = "assets"           // static web assets
	LayerApp        = "app"              // the rest
)

// ReportFile is what publish leaves in Paths.Report: the folders it made, a line for each.
const ReportFile = "layers.txt"

// ParseReport reads the report: which layers there are, and for which runtime identifiers packages have assets.
func ParseReport(dt []byte) (layers, rids []string, err error) {
	for line := range strings.Lines(string(dt)) {
		line = strings.TrimSpace(line)
		rid, isRuntime := strings.CutPrefix(line, LayerRuntimes+"/")
		switch {
		case line == "":
		case isRuntime:
			rids = append(rids, rid)
		case slices.Contains(Layers, line):
			layers = append(layers, line)
		default:
			return nil, nil, fmt.Errorf("read the report of publish: unknown layer %q", line)
		}
	}
	slices.Sort(rids)
	return layers, rids, nil
}

// NotShipped are patterns of published files that no image needs: debug symbols of native code, which AOT leaves beside
// a binary and which are larger than it.
func NotShipped() []string { return []string{"**/*.dbg"} }
