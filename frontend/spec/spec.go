// Package spec is crosshull.yaml: its types, its parser, and the rules that need nothing but the file.
//
// Contract: [Parse] takes the bytes of a file and returns a [Spec], or an [Errors] that names every mistake with its
// line. It is strict: a key that is not known is an error with a suggestion. Everything is optional, and the zero Spec
// means "the one publishable project of the context, all defaults". What the spec leaves out is taken from the project
// by way of the SDK; where both speak, the spec wins. The package knows neither LLB nor MSBuild.
package spec

// ModePortable is the publish mode of one framework-dependent output without a runtime identifier, the same for every
// platform.
const ModePortable = "portable"

// Spec is a whole crosshull.yaml. Field tags name the keys.
type Spec struct {
	// Project is a project file, a folder or a solution, relative to the context. Empty: the whole context.
	Project string `yaml:"project"`
	// Framework is the TargetFramework to publish; needed when the project has several.
	Framework string `yaml:"framework"`
	// Publish says how the app is published.
	Publish Publish `yaml:"publish"`
	// SDK picks the image that builds.
	SDK SDK `yaml:"sdk"`
	// Base picks the image that the app is put on.
	Base Base `yaml:"base"`
	// Image is the configuration of the image, over what the project and the base say.
	Image Image `yaml:"image"`

	lines map[string]Range
}

// Publish is the `publish` section.
type Publish struct {
	// Mode is "portable", or empty, which is portable unless the project's own properties ask for something else.
	Mode string `yaml:"mode"`
	// Configuration is the MSBuild configuration. Empty: Release.
	Configuration string `yaml:"configuration"`
	// Properties are further MSBuild properties, given to describe, restore and publish alike.
	Properties map[string]string `yaml:"properties"`
}

// SDK is the `sdk` section; at most one of the two is set.
type SDK struct {
	// Image is a full image reference.
	Image string `yaml:"image"`
	// Version is a tag of mcr.microsoft.com/dotnet/sdk.
	Version string `yaml:"version"`
}

// Base is the `base` section; at most one of the two is set.
type Base struct {
	// Image is a full image reference: ContainerBaseImage.
	Image string `yaml:"image"`
	// Family is the variant of the image that the SDK infers, such as noble-chiseled: ContainerFamily.
	Family string `yaml:"family"`
}

// Image is the `image` section. A list replaces what the project and the base say, a map adds to it key by key.
type Image struct {
	Entrypoint  []string          `yaml:"entrypoint"`
	Args        []string          `yaml:"args"`
	User        string            `yaml:"user"`
	Workdir     string            `yaml:"workdir"`
	Env         map[string]string `yaml:"env"`
	Ports       []string          `yaml:"ports"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
	Volumes     []string          `yaml:"volumes"`
	Healthcheck *Healthcheck      `yaml:"healthcheck"`
	StopSignal  string            `yaml:"stop-signal"`
}

// Healthcheck is the `image.healthcheck` section. Durations are Go's: "30s", "1m30s".
type Healthcheck struct {
	// Test is the command to run, or [NONE] to drop the base's.
	Test        []string `yaml:"test"`
	Interval    string   `yaml:"interval"`
	Timeout     string   `yaml:"timeout"`
	StartPeriod string   `yaml:"start-period"`
	Retries     int      `yaml:"retries"`
}

// Range is a span of lines in the file, 1-based, both ends included. The zero Range is no place at all.
type Range struct{ Start, End int }

// Range gives the lines of the value at a path of keys joined by dots, such as "publish.mode", or of the nearest
// parent that the file has. The whole spec absent, it is line 1: there the syntax directive stands.
func (s *Spec) Range(path string) Range {
	for {
		if r, ok := s.lines[path]; ok {
			return r
		}
		i := lastDot(path)
		if i < 0 {
			return Range{Start: 1, End: 1}
		}
		path = path[:i]
	}
}
