// Package spec is crosshull.yaml: its types, its parser, the rules that need nothing but the file, and its JSON schema.
//
// Contract: [Parse] takes the bytes of a file and the user's build arguments, and returns a [Spec], or an [Errors] that
// names every mistake with its line. It is strict: a key that is not known is an error with a suggestion. Everything is
// optional, and the zero Spec means "the one publishable project of the context, all defaults". What the spec leaves
// out is taken from the project by way of the SDK; where both speak, the spec wins. The package knows neither LLB nor
// MSBuild. What it takes is bounded: time and memory grow with the size of the file and no faster, and what is too
// large is an error with a number. A Spec does not change: [Spec.For] and [Spec.Of] give others, which share what is
// the same.
//
// Every key has one rule, which the tag "rule" of its field names: [Parse] checks it, [Schema] and [Keys] tell it.
//
// The comments of fields that have a key are what editors show of them, by way of the schema: "Name is" is left out
// there, a link to a field is its key, and "Empty:" or "Nil:" begins what holds without it.
package spec

// Modes are the values of publish.mode. A single one need not be a list.
type Modes []string

// Spec is a whole crosshull.yaml. Field tags name the keys, their rules, and with "platform" those that may differ
// between platforms.
type Spec struct {
	// App is the app, or what all of Apps have in common.
	App
	// Args are the build arguments that the spec takes, by name. ${NAME} in any other value stands for what the user gives
	// with --build-arg, or for the default. TARGETPLATFORM, TARGETARCH, BUILDPLATFORM and their like have the value of the
	// platform, as in a Dockerfile.
	Args map[string]Arg `yaml:"args" rule:"args"`
	// Apps are several apps, by name: each is a target of buildx. What one leaves out it has from the keys beside
	// [Spec.Apps], but for [App.Project] and [App.Framework]; a list replaces, a map adds.
	Apps map[string]*App `yaml:"apps" rule:"apps"`
	// Tests are test projects, or a map with more about them. --target=test runs them.
	Tests Tests `yaml:"tests"`
	// SDK picks the image that builds. Empty: what global.json asks for, else what the newest TargetFramework needs.
	SDK SDK `yaml:"sdk"`
	// NuGet says where packages come from, beyond what the repository's nuget.config says. Secrets are named by the ids of
	// buildx's --secret, and mounted on restore alone.
	NuGet NuGet `yaml:"nuget"`

	lines       map[string]Range
	used        map[string]bool
	perPlatform map[string]bool // paths of values that are not known before the platform is
	source      *source
	written     map[string]string // values with build arguments in them, as the file has them
	args        map[string]string // what those stand for
	app         string            // that App is, of Apps
}

// Arg is an entry of args; a value alone is its default.
type Arg struct {
	// Default is the value where the user gives none.
	Default string `yaml:"default,alone" rule:"text"`
	// Description says what the argument is for; --call=outline shows it.
	Description string `yaml:"description" rule:"text"`
}

// App is an app and its image.
type App struct {
	// Project is a project file, a folder, a solution, or a file-based app (.cs), relative to the context. Empty: the one
	// app of the context.
	Project string `yaml:"project" rule:"path"`
	// Framework is the TargetFramework to publish; needed when the project has several.
	Framework string `yaml:"framework" rule:"framework"`
	// Publish says how the app is published.
	Publish Publish `yaml:"publish"`
	// Base picks the image that the app is put on. Empty: what the SDK infers.
	Base Base `yaml:"base"`
	// Image is the configuration of the image, over what the project and the base say: a list replaces what they have, a
	// map adds to it key by key.
	Image Image `yaml:"image"`
	// Files are what is put into the image beside the app.
	Files []File `yaml:"files"`
}

// File is an entry of files: content of the context, or an empty folder.
type File struct {
	// Context is the name of one of buildx's --build-context that [File.From] is in. Empty: the build context.
	Context string `yaml:"context" rule:"context,platform"`
	// From is a file or folder of the context. Empty: all of [File.Context], or without that an empty folder that the app
	// can write to.
	From string `yaml:"from" rule:"path,platform"`
	// To is an absolute path in the image; a folder if it ends in a slash.
	To string `yaml:"to" rule:"image-path,platform"`
	// Mode is an octal number, such as "0644". Empty: all can read it and the owner can write it, as with the app's own
	// files.
	Mode string `yaml:"mode" rule:"mode"`
	// Owner is UID or UID:GID, or "app" for the user that the image runs as. Empty: root, and "app" for an empty folder.
	Owner string `yaml:"owner" rule:"owner"`
}

// Tests is the `tests` section; a list alone is its projects.
type Tests struct {
	// Projects are test projects, relative to the context.
	Projects []string `yaml:"projects,alone" rule:"path"`
	// Gate makes every image wait for the tests to pass.
	Gate bool `yaml:"gate" rule:"switch"`
	// Secrets are environment variables that the tests get: variable to id of buildx's --secret.
	Secrets map[string]string `yaml:"secrets" rule:"secrets"`
}

// Publish is the `publish` section.
type Publish struct {
	// Mode is one of portable, apphost, self-contained, single-file, ready-to-run, trimmed and aot, or a list of those
	// that go together. Empty: what the project's own properties ask for, which is portable if they ask for nothing.
	Mode Modes `yaml:"mode" rule:"publish-mode"`
	// Configuration is the MSBuild configuration. Empty: Release.
	Configuration string `yaml:"configuration" rule:"line"`
	// Inputs are files and folders of the context that the build reads beyond what the project files name.
	Inputs []string `yaml:"inputs" rule:"path"`
	// Properties are further MSBuild properties, given to describe, restore and publish alike.
	Properties map[string]string `yaml:"properties" rule:"properties"`
	// Secrets are environment variables that the steps of publish get: variable to id of buildx's --secret. MSBuild sees
	// them as properties.
	Secrets map[string]string `yaml:"secrets" rule:"secrets"`
	// SSH are the ids of buildx's --ssh whose agents the steps of publish get.
	SSH []string `yaml:"ssh" rule:"agent"`
}

// SDK is the `sdk` section; at most one of image and version is set.
type SDK struct {
	// Image is a full image reference of an SDK, in place of [SDK.Version].
	Image string `yaml:"image" rule:"reference"`
	// Version is a tag of mcr.microsoft.com/dotnet/sdk, such as "10.0".
	Version string `yaml:"version" rule:"tag"`
	// Toolchain is the image that publishes with AOT: an SDK that has a linker. Empty: the -aot variant of the SDK.
	Toolchain string `yaml:"toolchain" rule:"reference"`
}

// Base is the `base` section; at most one of the two is set.
type Base struct {
	// Image is a full image reference, in place of [Base.Family]: ContainerBaseImage.
	Image string `yaml:"image" rule:"reference"`
	// Family is the variant of the image that the SDK infers, such as "noble-chiseled": ContainerFamily.
	Family string `yaml:"family" rule:"family"`
}

// NuGet is the `nuget` section.
type NuGet struct {
	// Feeds are package sources, or credentials for sources that a nuget.config of the repository has.
	Feeds []Feed `yaml:"feeds"`
	// Secrets are environment variables that restore gets, as for %NAME% in a nuget.config: variable to id of a secret.
	Secrets map[string]string `yaml:"secrets" rule:"secrets"`
	// ConfigSecret is the id of a secret that is a whole nuget.config; those of the repository are then not read.
	ConfigSecret string `yaml:"config-secret" rule:"id"`
	// LockedMode makes restore fail if packages.lock.json does not fit.
	LockedMode bool `yaml:"locked-mode" rule:"switch"`
	// Audit turns NuGet's look for vulnerable packages on or off: NuGetAudit. Nil: as the project says.
	Audit *bool `yaml:"audit" rule:"switch"`
	// CA is a file of the context with certificates, in PEM, that feeds are trusted by beside those of the SDK image.
	CA string `yaml:"ca" rule:"path"`
	// CASecret is the id of a secret with such certificates, in place of [NuGet.CA].
	CASecret string `yaml:"ca-secret" rule:"id"`
}

// Feed is an entry of nuget.feeds.
type Feed struct {
	// Name is the key of the source.
	Name string `yaml:"name" rule:"feed"`
	// Source is the URL of its index. Empty: a nuget.config of the repository has it.
	Source string `yaml:"source" rule:"source"`
	// Username is what goes with the password; a feed that takes tokens takes any.
	Username string `yaml:"username" rule:"line"`
	// PasswordSecret is the id of the secret that is the password or token.
	PasswordSecret string `yaml:"password-secret" rule:"id"`
}

// Image is the `image` section. A list replaces what the project and the base say, a map adds to it key by key.
type Image struct {
	// Entrypoint is the command that the image runs, word by word. Empty: how the SDK starts the app.
	Entrypoint []string `yaml:"entrypoint" rule:"command,platform"`
	// Args are arguments of the command, which those of docker run replace. Empty: ContainerDefaultArgs.
	Args []string `yaml:"args" rule:"text,platform"`
	// User is the name or number that the image runs as. Empty: ContainerUser, else the APP_UID of the base.
	User string `yaml:"user" rule:"user,platform"`
	// Workdir is the absolute path that the app starts in; its files stay where the project puts them. Empty:
	// ContainerWorkingDirectory, which is "/app".
	Workdir string `yaml:"workdir" rule:"image-path,platform"`
	// Env are environment variables, beside those of the project (ContainerEnvironmentVariable) and of the base.
	Env map[string]string `yaml:"env" rule:"env,platform"`
	// Ports are those that the app listens on: a number or a range, such as "8080" or "8000-8010/udp". Empty:
	// ContainerPort, and what ASPNETCORE_URLS and ASPNETCORE_HTTP_PORTS say.
	Ports []string `yaml:"ports" rule:"port,platform"`
	// Labels are labels of the image of each platform, beside those that the SDK sets.
	Labels map[string]string `yaml:"labels" rule:"labels,platform"`
	// Annotations are annotations on the manifest of each platform, beside the labels that the SDK sets.
	Annotations map[string]string `yaml:"annotations" rule:"labels,platform"`
	// AnnotateIndex puts the annotations, those of the base among them, on the index too. Where several nodes build,
	// buildx makes the index and drops them.
	AnnotateIndex bool `yaml:"annotate-index" rule:"switch"`
	// VCS adds labels and annotations with repository and commit. Nil: where the project has PublishRepositoryUrl.
	VCS *bool `yaml:"vcs" rule:"switch"`
	// Volumes are absolute paths whose content outlives the container, beside those of the base.
	Volumes []string `yaml:"volumes" rule:"volume,platform"`
	// Healthcheck is how an engine finds out whether the app works. Empty: that of the base.
	Healthcheck *Healthcheck `yaml:"healthcheck"`
	// StopSignal is the signal that ends the app, such as "SIGTERM". Empty: that of the base.
	StopSignal string `yaml:"stop-signal" rule:"signal"`
}

// Healthcheck is the `image.healthcheck` section. Durations are Go's: "30s", "1m30s".
type Healthcheck struct {
	// Test is the command to run, word by word: "CMD-SHELL" before it leaves it to a shell of the base, and "NONE" alone
	// drops what the base has.
	Test []string `yaml:"test" rule:"probe,platform"`
	// Interval is the time between two runs, such as "30s".
	Interval string `yaml:"interval" rule:"duration,platform"`
	// Timeout is the time after which a run counts as failed, such as "5s".
	Timeout string `yaml:"timeout" rule:"duration,platform"`
	// StartPeriod is the time after the start in which a failed run does not count, such as "1m30s".
	StartPeriod string `yaml:"start-period" rule:"duration,platform"`
	// Retries are the runs in a row that fail before the app counts as unhealthy.
	Retries int `yaml:"retries" rule:"count,platform"`
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

// Has tells whether the file has a value at a path of keys.
func (s *Spec) Has(path string) bool {
	_, ok := s.lines[path]
	return ok
}

// Uses tells whether a value of the file has a build argument in it.
func (s *Spec) Uses(arg string) bool { return s.used[arg] }
