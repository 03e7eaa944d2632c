package plan

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/containerd/platforms"
	"github.com/distribution/reference"
	"github.com/moby/buildkit/client/llb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/gateway"
	"github.com/crosshull/crosshull/frontend/report"
	"github.com/crosshull/crosshull/frontend/request"
	"github.com/crosshull/crosshull/frontend/spec"
	xllb "github.com/crosshull/crosshull/llb"
	"github.com/crosshull/crosshull/llb/apt"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Packages are the OS packages of an image, beyond those of its base.
type Packages struct {
	apt.Packages
	// Native is the base for the build platform. The steps that install run there.
	Native *gateway.Image
	// Bare is the base without the packages.
	Bare llb.State
	// List has [apt.ListFile]: what is installed, with all that the packages need.
	List llb.State
}

// wanted are the packages of the spec for a platform.
func wanted(s *spec.Spec, p ocispecs.Platform) apt.Packages {
	of := s.Base.Packages
	want := apt.Packages{
		Install: slices.Clone(of.Install), Recommends: of.Recommends, SkipScripts: of.SkipScripts,
	}
	for _, name := range slices.Sorted(maps.Keys(of.Only)) {
		if forPlatform(name, p) {
			want.Install = append(want.Install, of.Only[name]...)
		}
	}
	slices.Sort(want.Install)
	want.Install = slices.Compact(want.Install)
	want.Snapshot, _ = time.Parse(time.RFC3339, of.Snapshot) // the spec has checked it; empty is the zero time
	for _, name := range slices.Sorted(maps.Keys(of.Sources)) {
		want.Sources = append(want.Sources, apt.Source{Name: name, Text: of.Sources[name], Key: of.Keys[name]})
	}
	return want
}

// Installs tells whether the image for a platform gets packages.
func Installs(s *spec.Spec, p ocispecs.Platform) bool { return len(wanted(s, p).Install) > 0 }

// forPlatform tells whether a key of base.packages.only is for p: its architecture, or all of the platform.
func forPlatform(name string, p ocispecs.Platform) bool {
	p = platforms.Normalize(p)
	if name == p.Architecture {
		return true
	}
	parsed, err := platforms.Parse(name)
	return err == nil && xllb.SamePlatform(parsed, p)
}

// install gives targets whose bases have the packages of the spec.
func install(ctx context.Context, p *Plan, ref string, targets []Target) ([]Target, error) {
	gw := p.Request.Gateway
	build := gw.BuildPlatform()
	installed := make([]Target, len(targets))
	for i, t := range targets {
		installed[i] = t
		want := t.wanted
		if len(want.Install) == 0 {
			continue
		}
		if err := CheckApt(p.Request, t.Base.Image, t.Spec, t.Platform); err != nil {
			return nil, err
		}
		native, err := gw.Base(ctx, ref, build)
		if err != nil {
			return nil, p.Request.At("base.packages", fmt.Errorf(
				"packages are installed by apt of the base for the builder's platform, %s: %w", platforms.Format(build), err))
		}
		made, err := p.Builder().InstallPackages(ctx, native.State, build, xllb.Installation{
			State: t.Base.State, Platform: t.Platform, Packages: want,
			NativeToo: slices.ContainsFunc(targets, func(other Target) bool {
				return xllb.SamePlatform(other.Platform, build) &&
					slices.Equal(other.wanted.Install, want.Install)
			}),
		})
		if err != nil {
			return nil, err
		}
		base := *t.Base.Image
		base.State = made.State
		installed[i].Base.Image = &base
		installed[i].Packages = &Packages{Packages: want, Native: native, Bare: t.Base.State, List: made.List}
	}
	return installed, nil
}

// CheckApt finds by the name of a base that the packages of the spec cannot be installed on it. Most names do not tell:
// then a build looks into the base.
func CheckApt(req *request.Request, base *gateway.Image, s *spec.Spec, p ocispecs.Platform) error {
	if !Installs(s, p) {
		return nil
	}
	if dotnet.IsScratch(base.Name) {
		return NoApt(req, base, "it is empty")
	}
	named, err := reference.ParseNormalizedNamed(base.Name)
	if err != nil || base.Pinned == nil { // another image may stand in for it
		return nil //nolint:nilerr // cannot be: the image has been resolved
	}
	name := path.Base(named.Name())
	if tagged, ok := named.(reference.Tagged); ok {
		name += ":" + tagged.Tag()
	}
	for _, kind := range withoutApt {
		if slices.ContainsFunc(kind.words, func(word string) bool { return strings.Contains(name, word) }) {
			return NoApt(req, base, kind.why)
		}
	}
	return nil
}

// withoutApt are words in the names of images, and why packages cannot be installed on them.
var withoutApt = []struct {
	words []string
	why   string
}{
	{[]string{"chiseled", "distroless"}, HasNoApt},
	{[]string{"alpine"}, IsAlpine},
	{[]string{"azurelinux", "mariner"}, "its packages are RPM, which are not supported"},
}

// Why packages cannot be installed.
const (
	HasNoApt = "it has no apt, as chiseled, distroless and RPM images have none"
	IsAlpine = "it is an image of Alpine, and packages of Alpine are not supported"
)

// NoApt is the error for a base that packages cannot be installed on.
func NoApt(req *request.Request, base *gateway.Image, why string) error {
	such := "base: {family: noble}"
	if req.Spec.None() { // which takes no family
		such = "base: {image: debian:bookworm-slim}"
	}
	return req.At("base.packages", fmt.Errorf("packages cannot be installed on %s: %s. "+
		"Take a base of Debian or Ubuntu, such as %s", base.Name, why, such))
}

// report are the packages as we print them; nil if there are none.
func (p *Packages) report() *report.Packages {
	if p == nil {
		return nil
	}
	r := &report.Packages{Install: p.Install, Recommends: p.Recommends}
	if !p.Snapshot.IsZero() {
		r.Snapshot = p.Snapshot.UTC().Format(time.RFC3339)
	}
	for _, s := range p.Sources {
		r.Sources = append(r.Sources, s.Name)
	}
	return r
}
