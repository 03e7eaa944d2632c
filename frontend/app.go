package frontend

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// convert makes a project of a file-based app, which is portable unless the spec says otherwise: the SDK's default for
// such a file is AOT, which is no default for images of several platforms.
func (b *build) convert(ctx context.Context) (dotnet.Files, error) {
	file := b.graph.Project.Path
	b.graph.Context = b.graph.Convert(file)
	b.graph.Project.Path = strings.TrimSuffix(file, ".cs")
	if b.graph.Project.Mode == nil {
		b.graph.Project.Mode = &dotnet.Mode{}
	}
	return b.survey(ctx)
}

// prepare describes the app and resolves what its image is made of.
func (b *build) prepare(ctx context.Context) error {
	app, err := b.describe(ctx, b.graph.Project, "project")
	if err != nil {
		return err
	}
	b.app = app
	if err := b.describeOthers(ctx); err != nil {
		return err
	}
	if err := b.resolveBase(ctx); err != nil {
		return err
	}
	return b.toolchain(ctx)
}

// resolveBase resolves the base image, and with its C library the runtime identifiers.
func (b *build) resolveBase(ctx context.Context) (err error) {
	b.base, err = b.images.resolveAll(ctx, b.app.BaseImage, b.targets)
	if err != nil {
		return b.at(b.baseKey(), fmt.Errorf("base image: %v", err))
	}
	if err := b.base.addManifests(ctx, b.entrypoint, b.targets); err != nil {
		b.warn(ctx, b.src, fmt.Sprintf("%s is left out, as the index of %s could not be read: %v", ocispecs.AnnotationBaseImageDigest, b.app.BaseImage, err))
	}
	libc := dotnet.LibcOf(b.app.BaseImage)
	if libc == "" {
		if libc, err = b.images.libc(ctx, b.base.images[0]); err != nil {
			return b.at(b.baseKey(), fmt.Errorf("look for the C library of %s: %v", b.app.BaseImage, err))
		}
	}
	for _, p := range b.targets {
		rid, err := dotnet.RID(p, libc)
		if err != nil {
			return err
		}
		b.rids = append(b.rids, rid)
	}
	return nil
}

// toolchain resolves the image that links, for AOT.
func (b *build) toolchain(ctx context.Context) error {
	if !b.app.Mode.Aot {
		return nil
	}
	ref := b.spec.SDK.Toolchain
	if ref == "" {
		var err error
		if ref, err = dotnet.Toolchain(b.sdkImage.name, b.app.BaseImage); err != nil {
			return b.at("sdk.toolchain", err)
		}
	}
	if err := dotnet.CheckToolchain(ref, b.rids, b.graph.BuildRID); err != nil {
		return b.at("publish.mode", err)
	}
	img, err := b.images.resolve(ctx, ref, b.bc.BuildPlatforms[0], "[toolchain] ")
	if err != nil {
		return b.at("sdk.toolchain", fmt.Errorf("AOT needs an SDK with a linker, %s: %v", ref, err))
	}
	b.graph.Toolchain = &img.state
	return nil
}

// describe asks MSBuild about a project, which is that of the spec at key.
func (b *build) describe(ctx context.Context, p dotnet.Project, key string) (*dotnet.App, error) {
	if dotnet.IsSolution(p.Path) {
		dt, ok := b.projectFiles[p.Path]
		if !ok {
			return nil, b.at(key, fmt.Errorf("there is no %s in the context", p.Path))
		}
		var err error
		if p.Candidates, err = dotnet.SolutionProjects(p.Path, dt); err != nil {
			return nil, b.at(key, err)
		}
	}
	st, err := b.graph.Describe(p, b.projectFiles)
	if err != nil {
		return nil, err
	}
	dt, err := b.readFile(ctx, st, dotnet.DescriptionFile)
	if err != nil {
		return nil, fmt.Errorf("describe the project: %w", err)
	}
	desc, err := dotnet.ParseDescription(dt, xllb.SourceDir)
	if err != nil {
		return nil, err
	}
	app, err := desc.Choose(p.Path, p.Framework, p.Test)
	if err != nil {
		if p.Framework != "" {
			key = "framework"
		}
		return nil, b.at(key, err)
	}
	if p.Mode != nil {
		app.Mode = *p.Mode // apphost is none of the project's properties
	}
	return app, nil
}

// describeOthers describes what may be built together with the app: the other apps of the spec, and the tests if images
// wait for them.
func (b *build) describeOthers(ctx context.Context) (err error) {
	for _, name := range slices.Sorted(maps.Keys(b.spec.Apps)) {
		other := b.spec.Apps[name]
		if mode := other.Publish.Mode; len(mode) > 0 && !slices.Equal(mode, spec.Modes{"portable"}) || path.Ext(other.Project) == ".cs" ||
			other.Publish.Configuration != b.spec.Publish.Configuration || !maps.Equal(other.Publish.Properties, b.spec.Publish.Properties) {
			continue
		}
		if b.prefix == "apps."+name+"." { // the target
			b.others = append(b.others, b.app)
			continue
		}
		p := b.graph.Project
		p.Path, p.Framework, p.BaseImage, p.Family, p.Mode = strings.Trim(other.Project, "/"), other.Framework, other.Base.Image, other.Base.Family, nil
		if len(other.Publish.Mode) > 0 {
			p.Mode = &dotnet.Mode{}
		}
		app, err := b.describe(ctx, p, "apps."+name+".project")
		if err != nil {
			return err
		}
		b.others = append(b.others, app)
	}
	if b.spec.Tests.Gate {
		if len(b.spec.Apps) == 0 {
			b.others = append(b.others, b.app)
		}
		return b.describeTests(ctx)
	}
	return nil
}

// baseKey is the place in the spec that the base image comes from.
func (b *build) baseKey() string {
	if b.spec.Base.Image != "" {
		return "base.image"
	}
	return "base.family"
}
