package llb

import (
	"maps"
	"path"
	"slices"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// Files of [Builder.PackageFacts].
const (
	// FactsAssets is NuGet's graph of an app, see [dotnet.ParseAssets].
	FactsAssets = "project.assets.json"
	// FactsPackages is a folder with the nuspec files and hashes of packages, see [dotnet.PackageFacts].
	FactsPackages = "packages"
)

// PackageFacts are the files of a restore that describe the packages of app, without the packages themselves. They take
// a few hundred KB. The packages can take hundreds of MB, and a builder that has only a cache in a registry would have
// to pull them.
func (b *Builder) PackageFacts(app *dotnet.App, restored Restored) llb.State {
	action := llb.Copy(restored.Tree, "/"+app.AssetsFile, "/"+FactsAssets, &llb.CopyInfo{CreatedTime: &fileTime}).
		Copy(restored.packages, "/", "/"+FactsPackages, &llb.CopyInfo{
			CopyDirContentsOnly: true,
			CreateDestPath:      true,
			IncludePatterns:     dotnet.PackageFacts(),
			CreatedTime:         &fileTime,
		})
	return llb.Scratch().File(action, b.named(PhaseImage, "copy nuspec files and hashes of packages of "+app.Path)...)
}

// Parts are what a restore leaves, by name.
func (r Restored) Parts() map[string]llb.State {
	return map[string]llb.State{"packages": r.packages, "projects": r.Tree}
}

// Document is a state with only a document, which was made from facts. facts are part of its graph, so that a cache in
// a registry has them: it has only the steps of the graph of the result that were built.
func (b *Builder) Document(p ocispecs.Platform, facts llb.State, name string, dt []byte) llb.State {
	opts := func(what string) []llb.ConstraintsOpt {
		return append(b.Constraints(PhaseImage), llb.WithCustomName(imagePrefix(p)+what))
	}
	written := facts.File(llb.Mkfile("/"+name, 0o644, dt, llb.WithCreatedTime(fileTime)), opts("write "+name)...)
	return b.AddDocument(p, llb.Scratch(), written, name)
}

// AddDocument adds a document of another state to st.
func (b *Builder) AddDocument(p ocispecs.Platform, st, from llb.State, name string) llb.State {
	return st.File(llb.Copy(from, "/"+name, "/"+name, &llb.CopyInfo{CreatedTime: &fileTime}),
		append(b.Constraints(PhaseImage), llb.WithCustomName(imagePrefix(p)+"copy "+name))...)
}

// Scanner is an image that makes SBOMs of other images, by BuildKit's SBOM scanning protocol
// (docs/attestations/sbom-protocol.md of moby/buildkit).
type Scanner struct {
	Name   string
	Image  llb.State // for the build platform, with the environment of its configuration
	Args   []string
	Params map[string]string // of --attest type=sbom
}

// Folders of the container of a scanner. It names each document after the folder that it scanned.
const (
	scanCore   = "/run/src/core/sbom"
	scanExtras = "/run/src/extras"
	scanOutput = "/run/out"
)

// Scan runs a scanner on the image for p, and on extras, which are by name. It gives a state with in-toto statements.
func (b *Builder) Scan(s Scanner, p ocispecs.Platform, image llb.State, extras map[string]llb.State) llb.State {
	opts := []llb.RunOption{
		llb.Args(s.Args),
		llb.AddEnv("BUILDKIT_SCAN_DESTINATION", scanOutput+"/"),
		llb.AddEnv("BUILDKIT_SCAN_SOURCE", scanCore),
		llb.AddMount(scanCore, image, llb.Readonly),
		llb.AddMount("/tmp", llb.Scratch(), llb.Tmpfs()),
	}
	for _, name := range slices.Sorted(maps.Keys(extras)) {
		opts = append(opts, llb.AddMount(path.Join(scanExtras, "sbom-"+name), extras[name], llb.Readonly))
	}
	if len(extras) > 0 {
		opts = append(opts, llb.AddEnv("BUILDKIT_SCAN_SOURCE_EXTRAS", scanExtras+"/"))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Params)) {
		opts = append(opts, llb.AddEnv("BUILDKIT_SCAN_"+name, s.Params[name]))
	}
	opts = append(opts, llb.WithCustomName(imagePrefix(p)+"scan with "+s.Name))
	run := s.Image.Run(append(opts, b.Exec(PhaseImage)...)...)
	return run.AddMount(scanOutput, llb.Scratch())
}

// imagePrefix begins the names of what is done for the image of a platform.
func imagePrefix(p ocispecs.Platform) string {
	return "[" + PhaseImage + " " + platforms.Format(platforms.Normalize(p)) + "] "
}
