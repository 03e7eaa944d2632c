// Package spec is crosshull.yaml: its types, its parser, the rules that need nothing but the file, and its JSON schema.
//
// Contract: [Parse] takes the bytes of a file and the user's build arguments. It returns a [Spec], or an [Errors] that
// names every mistake with its line. It is strict: an unknown key is an error with a suggestion. Everything is
// optional, and the zero Spec means "the one publishable project of the context, all defaults". What the spec leaves
// out comes from the project, through the SDK. If both set a value, the spec wins. The package knows neither LLB nor
// MSBuild. Its input is bounded: time and memory grow with the size of the file and no faster, and a file that is too
// large gives an error with a number. A Spec does not change: [Spec.For] and [Spec.Of] return new ones, which share
// equal parts.
//
// Every key has one rule, which the tag "rule" of its field names. [Parse] checks the rule, and [Schema] and [Keys]
// describe it.
//
// Editors show the comments of fields that have a key; the comments reach them through the schema. The schema drops the
// "Name is", writes a link to a field as its key, and turns "Empty:" or "Nil:" into "Without it:".
package spec

// Modes are the values of publish.mode. A single value need not be a list.
type Modes []string

// Spec is a whole crosshull.yaml. Field tags name the keys and their rules, and "platform" marks the keys that may
// differ between platforms.
type Spec struct {
	// App is the app, or the part that all of Apps have in common.
	App
	// Args are the build arguments that the spec takes, by name. In any other value, ${NAME} stands for the value that you
	// give with --build-arg, or for the default; in args itself, it is an error. TARGETPLATFORM, TARGETARCH, BUILDPLATFORM
	// and similar names have the value of the platform, as in a Dockerfile.
	Args map[string]Arg `yaml:"args" rule:"args"`
	// Apps are several apps, by name. Each is a target of buildx. An app inherits the keys beside [Spec.Apps], except
	// [App.Project] and [App.Framework]. A list of its own replaces the inherited list, and a map adds to the inherited
	// map.
	Apps map[string]*App `yaml:"apps" rule:"apps"`
	// Tests are test projects, or a map with further keys. --target=test runs them.
	Tests Tests `yaml:"tests"`
	// SDK picks the image that builds. Empty: the one that global.json asks for, else the one that the newest
	// TargetFramework needs.
	SDK SDK `yaml:"sdk"`
	// NuGet says where packages come from, in addition to the repository's nuget.config. Name secrets by the ids of
	// buildx's --secret. They are mounted for restore alone.
	NuGet NuGet `yaml:"nuget"`

	lines       map[string]Range
	used        map[string]bool
	perPlatform map[string]bool // paths of values that depend on the platform
	source      *source
	written     map[string]string // values with build arguments, as the file has them
	args        map[string]string // and what those arguments stand for
	app         string            // the name of App in Apps
}

// Arg is an entry of args. A value alone is the default.
type Arg struct {
	// Default is the value if you give none.
	Default string `yaml:"default,alone" rule:"text"`
	// Description says what the argument is for; --call=outline shows it.
	Description string `yaml:"description" rule:"text"`
}

// App is an app and its image.
type App struct {
	// Project is a project file, a folder, a solution, or a file-based app (.cs), relative to the context. Empty: the one
	// app of the context.
	Project string `yaml:"project" rule:"path"`
	// Framework is the TargetFramework to publish. It is needed if the project has several.
	Framework string `yaml:"framework" rule:"framework"`
	// Publish says how the app is published.
	Publish Publish `yaml:"publish"`
	// Base picks the image that the app is put on. Empty: the one that the SDK infers.
	Base Base `yaml:"base"`
	// Image is the configuration of the image. It wins over the project and the base: a list replaces theirs, and a map
	// adds to theirs key by key.
	Image Image `yaml:"image"`
	// Files are further files and folders to put into the image, beside the app. If the app has a file at the same path, a
	// file of its own project wins; files of packages, of other projects and static web assets are replaced.
	Files []File `yaml:"files"`
}

// File is an entry of files: content of the context, or an empty folder.
type File struct {
	// Context is the name of the --build-context that contains [File.From]. Empty: the build context.
	Context string `yaml:"context" rule:"context,platform"`
	// From is a file or folder of the context. Empty: all of [File.Context]; without that too, an empty folder that the
	// app can write to.
	From string `yaml:"from" rule:"path,platform"`
	// To is an absolute path in the image. It is a folder if it ends in a slash.
	To string `yaml:"to" rule:"image-path,platform"`
	// Mode is an octal number, such as "0644". Empty: all can read it and the owner can write it, as with the app's own
	// files.
	Mode string `yaml:"mode" rule:"mode"`
	// Owner is UID or UID:GID, or "app" for the user that the image runs as. Empty: root, but "app" for an empty folder.
	Owner string `yaml:"owner" rule:"owner"`
}

// Tests is the `tests` section. A list alone is its projects.
type Tests struct {
	// Projects are test projects, relative to the context.
	Projects []string `yaml:"projects,alone" rule:"path"`
	// Gate makes every image wait for the tests to pass.
	Gate bool `yaml:"gate" rule:"switch"`
	// Secrets are environment variables for the tests: variable to id of buildx's --secret.
	Secrets map[string]string `yaml:"secrets" rule:"secrets"`
}

// Publish is the `publish` section.
type Publish struct {
	// Mode is one of portable, apphost, self-contained, single-file, ready-to-run, trimmed and aot, or a list of modes
	// that go together. Empty: what the project's own properties ask for, else portable.
	Mode Modes `yaml:"mode" rule:"publish-mode"`
	// Configuration is the MSBuild configuration. Empty: Release.
	Configuration string `yaml:"configuration" rule:"line"`
	// Inputs are files and folders of the context that the build reads but no project file names.
	Inputs []string `yaml:"inputs" rule:"path"`
	// Properties are further MSBuild properties. Describe, restore and publish all get them.
	Properties map[string]string `yaml:"properties" rule:"properties"`
	// Secrets are environment variables for the steps of publish: variable to id of buildx's --secret. MSBuild sees them
	// as properties.
	Secrets map[string]string `yaml:"secrets" rule:"secrets"`
	// SSH are the ids of buildx's --ssh. The steps of publish can use their agents.
	SSH []string `yaml:"ssh" rule:"agent"`
}

// SDK is the `sdk` section. Set at most one of image and version.
type SDK struct {
	// Image is a full image reference of an SDK, in place of [SDK.Version].
	Image string `yaml:"image" rule:"reference"`
	// Version is a tag of mcr.microsoft.com/dotnet/sdk, such as "10.0".
	Version string `yaml:"version" rule:"tag"`
	// Toolchain is the image that publishes with AOT: an SDK with a linker. Empty: the -aot variant of the SDK.
	Toolchain string `yaml:"toolchain" rule:"reference"`
}

// Base is the `base` section. Set at most one of the two keys.
type Base struct {
	// Image is a full image reference, in place of [Base.Family]: ContainerBaseImage.
	Image string `yaml:"image" rule:"reference"`
	// Family is the variant of the image that the SDK infers, such as "noble-chiseled": ContainerFamily.
	Family string `yaml:"family" rule:"family"`
}

// NuGet is the `nuget` section.
type NuGet struct {
	// Feeds are package sources, or credentials for sources in a nuget.config of the repository.
	Feeds []Feed `yaml:"feeds"`
	// Secrets are environment variables for restore, as for %NAME% in a nuget.config: variable to id of a secret.
	Secrets map[string]string `yaml:"secrets" rule:"secrets"`
	// ConfigSecret is the id of a secret that is a whole nuget.config. Those of the repository are not read then.
	ConfigSecret string `yaml:"config-secret" rule:"id"`
	// LockedMode makes restore fail if packages.lock.json does not fit.
	LockedMode bool `yaml:"locked-mode" rule:"switch"`
	// Audit turns NuGet's check for vulnerable packages on or off: NuGetAudit. Nil: as the project says.
	Audit *bool `yaml:"audit" rule:"switch"`
	// CA is a PEM file of the context with certificates to trust for feeds, besides those of the SDK image.
	CA string `yaml:"ca" rule:"path"`
	// CASecret is the id of a secret with such certificates, in place of [NuGet.CA].
	CASecret string `yaml:"ca-secret" rule:"id"`
}

// Feed is an entry of nuget.feeds.
type Feed struct {
	// Name is the key of the source.
	Name string `yaml:"name" rule:"feed"`
	// Source is the URL of its index. Empty: the one in a nuget.config of the repository.
	Source string `yaml:"source" rule:"source"`
	// Username is the user name that goes with the password. A feed that takes tokens accepts any.
	Username string `yaml:"username" rule:"line"`
	// PasswordSecret is the id of the secret with the password or token.
	PasswordSecret string `yaml:"password-secret" rule:"id"`
}

// Image is the `image` section. A list replaces that of the project and the base, and a map adds to theirs key by key.
type Image struct {
	// Entrypoint is the command that the image runs, word by word. Empty: how the SDK starts the app.
	Entrypoint []string `yaml:"entrypoint" rule:"command,platform"`
	// Args are arguments of the command. Arguments of docker run replace them. Empty: ContainerDefaultArgs.
	Args []string `yaml:"args" rule:"text,platform"`
	// User is the name or number that the image runs as. Empty: ContainerUser, else the APP_UID of the base.
	User string `yaml:"user" rule:"user,platform"`
	// Workdir is the absolute path that the app starts in. The app's files stay where the project puts them. Empty:
	// ContainerWorkingDirectory, which is "/app".
	Workdir string `yaml:"workdir" rule:"image-path,platform"`
	// Env are environment variables, in addition to those of the project (ContainerEnvironmentVariable) and of the base.
	Env map[string]string `yaml:"env" rule:"env,platform"`
	// Ports are those that the app listens on: a number or a range, such as "8080" or "8000-8010/udp". Empty:
	// ContainerPort, and what ASPNETCORE_URLS and ASPNETCORE_HTTP_PORTS say.
	Ports []string `yaml:"ports" rule:"port,platform"`
	// Labels are labels for the image of each platform, in addition to those that the SDK sets.
	Labels map[string]string `yaml:"labels" rule:"labels,platform"`
	// Annotations are annotations on the manifest of each platform, in addition to the labels that the SDK sets.
	Annotations map[string]string `yaml:"annotations" rule:"labels,platform"`
	// AnnotateIndex puts the annotations on the index too, those of the base included. If several nodes build, buildx
	// makes the index and drops them.
	AnnotateIndex bool `yaml:"annotate-index" rule:"switch"`
	// VCS adds labels and annotations with repository and commit. Nil: only if the project sets PublishRepositoryUrl.
	VCS *bool `yaml:"vcs" rule:"switch"`
	// Volumes are absolute paths whose content outlives the container, in addition to those of the base.
	Volumes []string `yaml:"volumes" rule:"volume,platform"`
	// Healthcheck is how an engine finds out whether the app works. Empty: the one of the base.
	Healthcheck *Healthcheck `yaml:"healthcheck"`
	// StopSignal is the signal that ends the app, such as "SIGTERM". Empty: the one of the base.
	StopSignal string `yaml:"stop-signal" rule:"signal"`
}

// Healthcheck is the `image.healthcheck` section. Durations use Go's format: "30s", "1m30s".
type Healthcheck struct {
	// Test is the command to run, word by word. "CMD-SHELL" in front runs it in a shell of the base. "NONE" alone drops
	// the health check of the base.
	Test []string `yaml:"test" rule:"probe,platform"`
	// Interval is the time between two runs, such as "30s".
	Interval string `yaml:"interval" rule:"duration,platform"`
	// Timeout is the time after which a run counts as failed, such as "5s".
	Timeout string `yaml:"timeout" rule:"duration,platform"`
	// StartPeriod is the time after the start during which a failed run does not count, such as "1m30s".
	StartPeriod string `yaml:"start-period" rule:"duration,platform"`
	// Retries are the failed runs in a row after which the app counts as unhealthy.
	Retries int `yaml:"retries" rule:"count,platform"`
}

// Range is a span of lines in the file, 1-based, both ends included. The zero Range is no place at all.
type Range struct{ Start, End int }

// Range returns the lines of the value at a path of keys joined by dots, such as "publish.mode", or of the nearest
// parent that the file has. If the file lacks all of them, it returns line 1, which has the syntax directive.
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

// Uses tells whether a value of the file contains a build argument.
func (s *Spec) Uses(arg string) bool { return s.used[arg] }
