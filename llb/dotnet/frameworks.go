package dotnet

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/distribution/reference"
)

// The shared frameworks that Microsoft's images have.
const (
	netCoreApp = "Microsoft.NETCore.App"
	aspNetCore = "Microsoft.AspNetCore.App"
)

// microsoftImages begins the names of Microsoft's .NET images.
const microsoftImages = "mcr.microsoft.com/dotnet/"

// BaseFor gives the base image that the SDK infers for an app that needs frameworks. inferred is what it infers if it
// knows of no framework but those that the project itself names. The tag is the same for both repositories (dotnet/sdk,
// ComputeDotnetBaseImageAndTag).
func BaseFor(inferred string, frameworks []string) string {
	tag, ok := strings.CutPrefix(inferred, microsoftImages+"runtime:")
	if ok && contains(frameworks, aspNetCore) {
		return microsoftImages + "aspnet:" + tag
	}
	return inferred
}

// Framework is a shared framework that an app needs to start.
type Framework struct {
	Name, Version string
	// RollForward says on which other versions the app starts, in lower case; empty means minor.
	RollForward string
}

// NeededBy are the frameworks that an app needs as far as its project tells.
func NeededBy(app *App) []Framework {
	number := strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(app.TargetFramework), "net"), "coreapp")
	number, _, _ = strings.Cut(number, "-")
	var needed []Framework
	for _, name := range append([]string{netCoreApp}, app.FrameworkReferences...) {
		if !slices.ContainsFunc(needed, func(f Framework) bool { return strings.EqualFold(f.Name, name) }) {
			needed = append(needed, Framework{name, number + ".0", app.RollForward})
		}
	}
	return needed
}

// RuntimeConfigFile is what publish leaves in Paths.Output: the runtimeconfig.json of the app, even if the published
// app has it inside of a single file. It is missing if the project makes none.
const RuntimeConfigFile = "runtimeconfig.json"

// ParseRuntimeConfig gives the frameworks that a runtimeconfig.json asks for. An app that brings its own asks for none.
func ParseRuntimeConfig(dt []byte) ([]Framework, error) {
	type framework struct {
		Name, Version, RollForward string
		NoCandidate                *int `json:"rollForwardOnNoCandidateFx"`
	}
	var doc struct {
		RuntimeOptions struct {
			framework
			Framework  *framework
			Frameworks []framework
		}
	}
	if err := json.Unmarshal(plainJSON(dt, false), &doc); err != nil {
		return nil, fmt.Errorf("read runtimeconfig.json: %w", err)
	}
	options := doc.RuntimeOptions
	if options.Framework != nil {
		options.Frameworks = append(options.Frameworks, *options.Framework)
	}
	var needed []Framework
	for _, f := range options.Frameworks {
		n := Framework{f.Name, f.Version, ""}
		for _, said := range []framework{options.framework, f} { // the framework's own value wins
			if said.NoCandidate != nil { // the form before .NET Core 3.0
				n.RollForward = [...]string{"latestpatch", "minor", "major"}[min(max(*said.NoCandidate, 0), 2)]
			}
			if said.RollForward != "" {
				n.RollForward = strings.ToLower(said.RollForward)
			}
		}
		needed = append(needed, n)
	}
	return needed, nil
}

// Roll gives frameworks as the host looks for them in an image with an environment and a command, which win over the
// runtimeconfig.json. If the command itself names the version to run, the host looks for none.
func Roll(frameworks []Framework, env, command []string) []Framework {
	rollForward := ""
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); k == "DOTNET_ROLL_FORWARD" {
			rollForward = strings.ToLower(v)
		}
	}
	if len(command) > 0 && path.Base(command[0]) == "dotnet" {
		// What follows the app are its own arguments.
		app := slices.IndexFunc(command, func(arg string) bool { return strings.HasSuffix(arg, ".dll") })
		for i, arg := range command[:max(app, 0)] {
			switch arg {
			case "--fx-version":
				return nil
			case "--roll-forward":
				rollForward = strings.ToLower(command[i+1])
			}
		}
	}
	if rollForward == "" {
		return frameworks
	}
	rolled := slices.Clone(frameworks)
	for i := range rolled {
		rolled[i].RollForward = rollForward
	}
	return rolled
}

// startsOn tells whether the host takes a version of the framework (hostfxr, fx_resolver). It takes no older one.
func (f Framework) startsOn(version string) bool {
	needed, err := parseSDKVersion(f.Version)
	if err != nil {
		return true // not known
	}
	there, err := parseSDKVersion(version)
	if err != nil {
		return true
	}
	order := there.compare(needed)
	switch f.RollForward {
	case "disable":
		return order == 0
	case "latestpatch":
		return order >= 0 && there.major == needed.major && there.minor == needed.minor
	case "major", "latestmajor":
		return order >= 0
	}
	return order >= 0 && there.major == needed.major
}

// Shared are the shared frameworks of an image, as far as they are known.
type Shared struct {
	// Versions are the versions of each framework, by its name. A framework without versions is there in some version.
	Versions map[string][]string
	// All tells that the image has no other frameworks.
	All bool
}

// SharedOf gives the frameworks of an image by its name and its environment. For Microsoft's images, these are all
// frameworks. Another image may have its environment from its own base, and further frameworks: see [Shared.All].
func SharedOf(image string, env []string) Shared {
	s := Shared{Versions: map[string][]string{}}
	for _, kv := range env {
		k, v, _ := strings.Cut(kv, "=")
		name, ok := map[string]string{"DOTNET_VERSION": netCoreApp, "ASPNET_VERSION": aspNetCore}[k]
		if ok && v != "" {
			s.Versions[name] = []string{v}
		}
	}
	var names []string
	switch repository(image) {
	case "":
		return s
	case "runtime-deps":
	case "runtime":
		names = []string{netCoreApp}
	default:
		names = []string{netCoreApp, aspNetCore}
	}
	all := Shared{Versions: map[string][]string{}, All: true}
	for _, name := range names {
		all.Versions[name] = s.Versions[name]
	}
	return all
}

// repository names Microsoft's .NET repository that an image is from, such as runtime. It is empty for an image whose
// name does not tell its frameworks.
func repository(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return ""
	}
	name, ok := strings.CutPrefix(named.Name(), microsoftImages)
	name = strings.TrimPrefix(name, "nightly/")
	if !ok || !slices.Contains([]string{"runtime-deps", "runtime", "aspnet", "sdk", "monitor", "monitor/base"}, name) {
		return ""
	}
	return name
}

// Fit is whether an image has a framework.
type Fit int

// What is known of a framework in an image.
const (
	Unknown Fit = iota
	Fits
	Misfits
)

// Has tells whether an app that needs a framework starts.
func (s Shared) Has(f Framework) Fit {
	for name, versions := range s.Versions {
		switch {
		case !strings.EqualFold(name, f.Name):
		case len(versions) == 0:
			return Unknown
		case slices.ContainsFunc(versions, f.startsOn):
			return Fits
		default:
			return Misfits
		}
	}
	if s.All {
		return Misfits
	}
	return Unknown
}

// Lacks gives the first of frameworks that does not fit. If there is none, it gives one that may not fit.
func (s Shared) Lacks(frameworks []Framework) (lacks Framework, fit Fit) {
	fit = Fits
	for _, f := range frameworks {
		switch s.Has(f) {
		case Misfits:
			return f, Misfits
		case Unknown:
			lacks, fit = f, Unknown
		}
	}
	return lacks, fit
}

// Tell says in words that image has no framework that fits f.
func (s Shared) Tell(image string, f Framework) string {
	has := "no " + f.Name
	if versions := s.Versions[f.Name]; len(versions) > 0 {
		has = f.Name + " " + strings.Join(versions, ", ")
	}
	needs := f.Version
	if f.RollForward != "" {
		needs += ", rollForward " + f.RollForward
	}
	return fmt.Sprintf("the app does not start on %s, which has %s: it needs %s %s", image, has, f.Name, needs)
}

// Advice names Microsoft's image that has the frameworks, as you write it in a spec; empty if there is none.
func Advice(needed []Framework) string {
	name, version := "runtime", sdkVersion{}
	for _, f := range needed {
		v, err := parseSDKVersion(f.Version)
		if err != nil || f.Name != netCoreApp && f.Name != aspNetCore {
			return ""
		}
		if f.Name == aspNetCore {
			name = "aspnet"
		}
		if v.compare(version) > 0 {
			version = v
		}
	}
	tag := fmt.Sprintf("%d.%d", version.major, version.minor)
	if version.label != "" || version.patch > 0 {
		tag = version.tag()
	}
	return microsoftImages + name + ":" + tag
}

// FrameworkNames are the names of frameworks.
func FrameworkNames(frameworks []Framework) []string {
	var names []string
	for _, f := range frameworks {
		names = append(names, f.Name)
	}
	return names
}

// Frameworks are the names of the shared frameworks that restore has found for app, by the project itself, by projects
// that it references and by packages.
func (g *PackagesGraph) Frameworks(app *App) ([]string, error) {
	key, framework, err := g.framework(app)
	if err != nil {
		return nil, err
	}
	names := slices.Collect(maps.Keys(framework.FrameworkReferences))
	for _, r := range g.Targets[key] {
		names = append(names, r.FrameworkReferences...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
