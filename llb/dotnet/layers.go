package dotnet

import (
	"fmt"
	"slices"
	"strings"
)

// Layers are the layers of an app. They begin with what seldom changes and end with what every edit changes. All but
// [LayerLauncher] are folders that publish leaves: MSBuild says which layer each file belongs to (target
// CrosshullLayers). Assets for single platforms have their own layer, [LayerRuntimes].
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
	LayerPrerelease = "packages-preview" // files of packages in a pre-release version
	LayerRuntimes   = "runtimes"         // files of packages for one runtime identifier: a folder for each
	LayerProjects   = "projects"         // outputs of projects that the app references
	LayerAssets     = "assets"           // static web assets
	LayerLauncher   = "launcher"         // in apphost mode, made by its own step
	LayerApp        = "app"              // the rest
)

// ReportFile is the file that publish leaves in Paths.Output. It lists the folders that publish made, the static web
// assets and the machine code of packages, one a line.
const ReportFile = "layers.txt"

// Report is what publish says about its output.
type Report struct {
	Layers   []string  // the folders that exist, without LayerRuntimes
	Runtimes []string  // the runtime identifiers that packages have assets for
	Natives  []Native  // machine code of packages
	Made     []Machine // machine code that commands of the user made
	assets   []string  // static web assets that are not compressed: path, hash, and when to copy it
}

// ParseReport reads the report.
func ParseReport(dt []byte) (*Report, error) {
	r := &Report{}
	for line := range strings.Lines(string(dt)) {
		line = strings.TrimSpace(line)
		rid, isRuntime := strings.CutPrefix(line, LayerRuntimes+"/")
		asset, isAsset := strings.CutPrefix(line, "asset ")
		native, isNative := strings.CutPrefix(line, "native ")
		machine, isMachine := strings.CutPrefix(line, "machine ")
		switch {
		case line == "":
		case isRuntime:
			r.Runtimes = append(r.Runtimes, rid)
		case isAsset:
			r.assets = append(r.assets, asset)
		case isMachine:
			if m, ok := parseMachine(machine); ok {
				r.Made = append(r.Made, m)
			}
		case isNative:
			if n, ok := parseNative(native); ok {
				r.Natives = append(r.Natives, n)
			}
		case slices.Contains(Layers, line) && line != LayerLauncher:
			r.Layers = append(r.Layers, line)
		default:
			return nil, Bug(fmt.Errorf("read the report of publish: unknown layer %q", line))
		}
	}
	slices.Sort(r.Runtimes)
	slices.Sort(r.assets)
	return r, nil
}

// SameAssets tells whether two steps saw the same static web assets. If so, the files that one step compressed are
// those that the other would have made.
func (r *Report) SameAssets(other *Report) bool { return slices.Equal(r.assets, other.assets) }

// NotShipped are patterns of published files that no image needs: debug symbols of native code. AOT leaves them beside
// a binary, and they are larger than the binary.
func NotShipped() []string { return []string{"**/*.dbg"} }
