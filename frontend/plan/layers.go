package plan

import (
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// LayerFiles is the layer of the spec's files, under the app's own, which changes more often.
const LayerFiles = "files"

// Maker is the step that makes a layer.
type Maker int

// The steps that make layers.
const (
	ByPublish Maker = iota
	ByAssets        // the one that makes static web assets beside publish
	ByLaunchers
	ByFiles
)

// Layer is a layer that an image can have.
type Layer struct {
	Name string
	// Shared tells that it is the same for all platforms.
	Shared bool
	Maker  Maker
	// Folders are those of what Maker leaves that can be in it.
	Folders []string
	// Expected tells that it will probably be there, by what is known before the build.
	Expected bool
}

// layers are those of the image for a runtime identifier.
func layers(p *Plan, rid string) []Layer {
	app := p.App
	packages := dotnet.NamesPackages(app, p.Tree.Files)
	var out []Layer
	for _, name := range dotnet.Layers {
		l := Layer{Name: name, Shared: !app.Mode.PerPlatform(), Folders: []string{name}, Expected: true}
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
			if files := p.Request.Spec.Files; len(files) > 0 {
				differs := p.Request.PerPlatform("files") || xllb.ForUser(files) && p.Request.PerPlatform("image.user")
				out = append(out, Layer{Name: LayerFiles, Shared: !differs, Maker: ByFiles, Expected: true})
			}
		}
		out = append(out, l)
	}
	return out
}
