package plan

import (
	"maps"
	"slices"

	"github.com/containerd/platforms"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Report is the plan as we print it. layers are the layers of each image; nil stands for the expected layers.
func (p *Plan) Report(layers [][]report.Layer) report.App {
	app := report.App{Name: p.Request.Target.App, Project: report.NoProject}
	if !p.App.None() {
		app = p.reportBuild()
	}
	for i, t := range p.Targets {
		image := t.report()
		var further []report.Layer
		for _, also := range p.Also {
			for _, l := range also.For(t.Platform).Layers {
				if l.Expected {
					further = append(further, report.Layer{Name: l.Name, To: also.Dir, Shared: l.Shared})
				}
			}
		}
		image.Layers = append(further, image.Layers...)
		if layers != nil {
			image.Layers = layers[i]
		}
		app.Images = append(app.Images, image)
	}
	return app
}

// reportBuild is how the app is built, without its images.
func (p *Plan) reportBuild() report.App {
	builder := platforms.Format(p.Request.Gateway.BuildPlatform())
	app := report.App{
		Name: p.Request.Target.App, Project: p.App.Path, Framework: p.App.TargetFramework, Mode: p.App.Mode.String(),
		Configuration: p.Project.Configuration,
		SDK:           imageReport(p.SDK.Image, builder),
		Projects:      dotnet.ProjectPaths(p.App.Closure),
		Reads:         reads(p.App.Closure),
	}
	app.SDK.Version = p.SDK.Version()
	for _, t := range p.Tools {
		app.Tools = append(app.Tools, imageReport(t.Image, builder))
	}
	app.Commands = commands(p.Request)
	if p.Toolchain != nil {
		toolchain := imageReport(p.Toolchain, builder)
		app.Toolchain = &toolchain
	}
	for _, s := range dotnet.Slices(p.Group(p.App)) {
		if s.Uses(p.App) {
			app.Slices = append(app.Slices, dotnet.ProjectPaths(s.Projects))
		}
	}
	for _, of := range p.Also {
		also := report.Also{
			Project: of.App.Path, Framework: of.App.TargetFramework, Mode: of.App.Mode.String(), To: of.Dir,
			Projects: dotnet.ProjectPaths(of.App.Closure), Reads: reads(of.App.Closure),
		}
		if of.Toolchain != nil {
			toolchain := imageReport(of.Toolchain, builder)
			also.Toolchain = &toolchain
		}
		app.Also = append(app.Also, also)
	}
	return app
}

// report is the image of a platform as we print it.
func (t Target) report() report.Target {
	platform := platforms.Format(platforms.Normalize(t.Platform))
	c := t.Config.Image.Config
	r := report.Target{
		Platform: platform, RID: t.RID, Base: imageReport(t.Base.Image, platform),
		Entrypoint: c.Entrypoint, Args: c.Cmd, User: c.User, WorkingDir: c.WorkingDir,
		Ports: slices.Sorted(maps.Keys(c.ExposedPorts)),
	}
	r.Base.Manifest = t.Base.Manifest.String()
	r.Packages = t.Packages.report()
	for _, f := range t.Spec.Files {
		r.Files = append(r.Files, f.String())
	}
	for _, l := range t.Layers {
		if l.Expected {
			r.Layers = append(r.Layers, report.Layer{Name: l.Name, Shared: l.Shared})
		}
	}
	return r
}

func imageReport(img *gateway.Image, platform string) report.Image {
	r := report.Image{Reference: img.Name, Platform: platform}
	if img.Pinned != nil {
		r.Digest = img.Pinned.Digest().String()
	}
	return r
}

// reads are what projects read beyond their folders.
func reads(nodes []dotnet.Node) []report.Read {
	var all []report.Read
	for _, n := range nodes {
		if n.Unknown != "" {
			all = append(all, report.Read{Project: n.Path, Path: ".", Why: n.Unknown})
		}
		for _, read := range slices.Concat(n.Files, n.Folders) {
			if read.Path != n.Path {
				all = append(all, report.Read{Project: n.Path, Path: read.Path, Why: read.Why})
			}
		}
	}
	return all
}
