package plan

import (
	"slices"

	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// LayerOSPackages is the layer with the packages that apt installs on the base.
const LayerOSPackages = "os-packages"

// LayerFiles is the layer with the files of the spec. It is below the layer of the app, which changes more often.
const LayerFiles = "files"

// LayerUsers is the layer with the files that list users, and with home folders. It is at the bottom: what the other
// layers make in a home folder lies over it.
const LayerUsers = "users"

// Maker is the step that makes a layer.
type Maker int

// The steps that make layers.
const (
	ByPublish Maker = iota
	ByAssets        // the step that makes static web assets beside publish
	ByLaunchers
	ByFiles
	ByPackages // the steps that install OS packages
	ByUsers
)

// Layer is a layer that an image can have.
type Layer struct {
	Name string
	// Shared tells whether the layer is the same for all platforms.
	Shared bool
	Maker  Maker
	// Folders are the folders in the output of Maker whose files go into the layer.
	Folders []string
	// Expected tells whether the layer will probably have files, as far as we know before the build.
	Expected bool
}

// layers are the layers of the image for a runtime identifier. osPackages tells whether it gets OS packages.
func layers(p *Plan, rid string, osPackages bool) []Layer {
	app := p.App
	packages := dotnet.NamesPackages(app)
	own := len(p.Request.PlatformVars()) > 0 && !p.further // commands may change each file for each platform
	var out []Layer
	if osPackages && !p.further {
		out = append(out, Layer{Name: LayerOSPackages, Maker: ByPackages, Expected: true})
	}
	if image := p.Request.Spec.Image; len(image.Users)+len(image.Groups) > 0 && !p.further {
		// Only the bases tell whether it is shared.
		out = append(out, Layer{Name: LayerUsers, Maker: ByUsers, Expected: true})
	}
	if app.None() {
		return append(out, filesLayer(p)...)
	}
	for _, name := range dotnet.Layers {
		l := Layer{Name: name, Shared: !app.Mode.PerPlatform() && !own, Folders: []string{name}, Expected: true}
		switch name {
		case dotnet.LayerPackages, dotnet.LayerPrerelease:
			l.Expected = packages
		case dotnet.LayerRuntimes:
			l.Expected, l.Shared, l.Folders = packages, false, nil
			for _, id := range dotnet.RuntimeIDs(rid) {
				l.Folders = append(l.Folders, dotnet.LayerRuntimes+"/"+id)
			}
		case dotnet.LayerProjects:
			l.Expected = len(app.Closure) > 1
		case dotnet.LayerAssets:
			l.Expected = p.Tree.Assets.Has(app)
			if p.Compression == dotnet.CompressBeside {
				l.Shared, l.Maker = true, ByAssets
			}
		case dotnet.LayerLauncher:
			if !app.Mode.Launchers() {
				continue
			}
			l.Shared, l.Maker, l.Folders = false, ByLaunchers, []string{rid}
		case dotnet.LayerApp:
			out = append(out, filesLayer(p)...)
		}
		out = append(out, l)
	}
	return out
}

// filesLayer is the layer with the files of the spec; none if the spec has no files.
func filesLayer(p *Plan) []Layer {
	files := p.Request.Spec.Files
	if len(files) == 0 || p.further {
		return nil
	}
	differs := p.Request.PerPlatform("files") || xllb.ForUser(files) && p.Request.PerPlatform("image.user") ||
		slices.ContainsFunc(files, func(f spec.File) bool { return f.Image != "" })
	adds := func(f spec.File) bool { return f.Kind() != spec.Removes && f.Kind() != spec.Changes }
	expected := slices.ContainsFunc(files, adds)
	return []Layer{{Name: LayerFiles, Shared: !differs, Maker: ByFiles, Expected: expected}}
}
