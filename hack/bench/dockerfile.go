package bench

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/crosshull/crosshull/hack/lab"
)

// The repositories of Microsoft's images, and the tag of all of them.
const (
	dotnetImages = "mcr.microsoft.com/dotnet/"
	dotnetTag    = "10.0"
	sdkImage     = dotnetImages + "sdk:" + dotnetTag
)

// recipe is what a contender that builds with BuildKit is to make.
type recipe struct {
	project   project
	mode      string
	contender contender
	platforms platforms
	base      string   // image that is not the usual one, or ""
	packages  []string // of the base's system
	cacheID   string   // of cache mounts
}

// baseRepository is the repository of the base, below [dotnetImages].
func (r recipe) baseRepository() string {
	if r.mode == modeSelfContained {
		return "runtime-deps"
	}
	return r.project.base
}

// file gives the name and the content of the file that says what to build.
func (r recipe) file() (name, content string) {
	if r.contender == crosshull {
		return "crosshull.yaml", r.spec()
	}
	return "Dockerfile", r.dockerfile()
}

func (r recipe) spec() string {
	s := "# syntax=" + lab.FrontendImage + "\nproject: " + r.project.file + "\n"
	if r.mode != modePortable {
		s += "publish:\n  mode: " + r.mode + "\n"
	}
	if r.base != "" || len(r.packages) > 0 {
		s += "base:\n"
	}
	if r.base != "" {
		s += "  image: " + r.base + "\n"
	}
	if len(r.packages) > 0 {
		s += "  packages: [" + strings.Join(r.packages, ", ") + "]\n"
	}
	return s
}

// dockerfile follows the pattern of Microsoft's samples: project files first, restore, then the rest, all on the
// platform that builds, with the target's architecture as an argument. The portable one leaves that away.
func (r recipe) dockerfile() string {
	arch, properties := " -a $TARGETARCH", r.properties()
	if r.compilesOnce() {
		arch = ""
	}
	mount := ""
	if r.contender == seedMounts {
		// One for each architecture: two restores into one that is empty trip over each other, as NuGet's locks are files in
		// a folder that containers do not share.
		mount = "--mount=type=cache,id=" + r.cacheID + "-$TARGETARCH,target=/root/.nuget/packages "
	}
	base := cmp.Or(r.base, dotnetImages+r.baseRepository()+":"+dotnetTag)
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	if r.contender == syntax {
		line("# syntax=docker/dockerfile:1")
	}
	line("FROM --platform=$BUILDPLATFORM %s AS build", sdkImage)
	if arch != "" {
		line("ARG TARGETARCH")
	}
	line("WORKDIR /source")
	line("COPY --link --parents Directory.Build.props %s ./", strings.Join(r.project.restores, " "))
	line("RUN %sdotnet restore %s%s%s", mount, r.project.file, arch, properties)
	line("COPY --link . .")
	line("RUN %sdotnet publish %s%s --no-restore%s -o /app", mount, r.project.file, arch, properties)
	line("")
	if len(r.packages) > 0 {
		base += " AS " + finalStage
	}
	line("FROM %s", base)
	if r.project.web {
		line("EXPOSE 8080")
	}
	if len(r.packages) > 0 {
		line("RUN apt-get update && apt-get install --yes --no-install-recommends %s && rm -rf /var/lib/apt/lists/*",
			strings.Join(r.packages, " "))
	}
	line("WORKDIR /app")
	line("COPY --link --from=build /app .")
	line("USER $APP_UID")
	if r.hasAppHost() {
		line("ENTRYPOINT [\"./%s\"]", r.project.assembly())
	} else {
		line("ENTRYPOINT [\"dotnet\", \"%s.dll\"]", r.project.assembly())
	}
	return b.String()
}

// finalStage is the stage of a Dockerfile that installs packages.
const finalStage = "final"

// packagesStage is what --no-cache-filter names to install packages again.
func (r recipe) packagesStage() string {
	if r.contender == crosshull {
		return "packages"
	}
	return finalStage
}

// compilesOnce tells whether a Dockerfile compiles once for all platforms.
func (r recipe) compilesOnce() bool { return r.contender == portable || r.contender == apt }

// hasAppHost tells whether a Dockerfile's app has a launcher. There is no pack with one for arm/v7.
func (r recipe) hasAppHost() bool { return !r.compilesOnce() && r.platforms != three }

// properties are those of restore and publish alike.
func (r recipe) properties() string {
	switch {
	case !r.hasAppHost():
		return " " + strings.Join(noAppHost, " ")
	case r.mode == modeSelfContained:
		return " -p:SelfContained=true"
	case r.mode == modeReadyToRun:
		return " -p:PublishReadyToRun=true"
	}
	return ""
}

// noAppHost are the properties for an app without a launcher: none is made, and no pack is asked for.
var noAppHost = []string{"-p:UseAppHost=false", "-p:EnableAppHostPackDownload=false"}

// dockerignore is that of the contexts of Dockerfiles. What crosshull leaves out needs no file.
const dockerignore = "**/bin\n**/obj\n.dockerignore\nDockerfile\n"
