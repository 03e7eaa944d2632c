package dotnet

import (
	"fmt"
	"slices"
	"strings"
)

// Layers are those of an app, from what changes seldom to what changes with every edit. All but [LayerLauncher] are
// folders that publish leaves: MSBuild says what each file is (target CrosshullLayers). The assets of single platforms
// are apart, in [LayerRuntimes].
var Layers = []string{
	LayerPackages,
	LayerPrerelease,
	LayerRuntimes,
	LayerProjects,
	LayerAssets,
	LayerLauncher,
	LayerApp,
}

// The layers of an app.
const (
	LayerPackages   = "packages"         // files of packages
	LayerPrerelease = "packages-preview" // of packages whose version is a pre-release
	LayerRuntimes   = "runtimes"         // of packages, for one runtime identifier: a folder for each
	LayerProjects   = "projects"         // of projects that the app references
	LayerAssets     = "assets"           // static web assets
	LayerLauncher   = "launcher"         // of apphost mode, made by a step of its own
	LayerApp        = "app"              // the rest
)

// ReportFile is what publish leaves in Paths.Output: the folders it made, static web assets, and machine code of
// packages, a line for each.
const ReportFile = "layers.txt"

// Report is what publish says of its output.
type Report struct {
	Layers   []string // the folders that there are, LayerRuntimes left out
	Runtimes []string // the runtime identifiers that packages have assets for
	Natives  []Native // machine code of packages
	assets   []string // static web assets that are not compressed: path, hash, and when to copy it
}

// ParseReport reads the report.
func ParseReport(dt []byte) (*Report, error) {
	r := &Report{}
	for line := range strings.Lines(string(dt)) {
		line = strings.TrimSpace(line)
		rid, isRuntime := strings.CutPrefix(line, LayerRuntimes+"/")
		asset, isAsset := strings.CutPrefix(line, "asset ")
		native, isNative := strings.CutPrefix(line, "native ")
		switch {
		case line == "":
		case isRuntime:
			r.Runtimes = append(r.Runtimes, rid)
		case isAsset:
			r.assets = append(r.assets, asset)
		case isNative:
			if n, ok := parseNative(native); ok {
				r.Natives = append(r.Natives, n)
			}
		case slices.Contains(Layers, line) && line != LayerLauncher:
			r.Layers = append(r.Layers, line)
		default:
			return nil, fmt.Errorf("read the report of publish: unknown layer %q", line)
		}
	}
	slices.Sort(r.Runtimes)
	slices.Sort(r.assets)
	return r, nil
}

// SameAssets tells whether two steps had the same static web assets before them: then those that one of them compressed
// are what the other would have made.
func (r *Report) SameAssets(other *Report) bool { return slices.Equal(r.assets, other.assets) }

// NotShipped are patterns of published files that no image needs: debug symbols of native code, which AOT leaves beside
// a binary and which are larger than it.
func NotShipped() []string { return []string{"**/*.dbg"} }
