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
// Every key has one rule, which the tag "rule" of its field names. [Parse] checks the rule, and [Schema] describes it.
//
// The comments of fields that have a key are the reference of the spec: docs/reference/spec.md is made from them, and
// editors show them through the schema. Both drop the "Name is", and write a link to a field as its key. "Empty:" or
// "Nil:" begins what applies without the key. The indented lines are for the page: an example, the equivalent line of a
// Dockerfile, the MSBuild property or item, and a page that says more.
//
// The tag "deprecated" of a field says what to write in place of its key. Files that have the key get a warning, and
// the reference and the schema say it, too.
package spec

// Modes are the values of publish.mode. A single value need not be a list.
type Modes []string

// Paths are paths of an entry of files. A single path need not be a list.
type Paths []string

// Checksums are checksums by platform or architecture. A single one is for all platforms, and has the name "".
type Checksums map[string]string

// Spec is a whole crosshull.yaml. Field tags name the keys and their rules, and "platform" marks the keys that may
// differ between platforms.
type Spec struct {
	// App is the app, or the part that all of Apps have in common.
	App
	// Args are the build arguments that the spec takes, by name. In any other value, ${NAME} stands for the value that you
	// give with --build-arg, or for the default; in args itself, it is an error. TARGETPLATFORM, TARGETARCH, BUILDPLATFORM
	// and similar names have the value of the platform, as in a Dockerfile.
	//
	//	example: {args: {VERSION: 1.0.0}, publish: {properties: {Version: "${VERSION}"}}}
	//	Dockerfile: ARG VERSION=1.0.0
	//	see: [Build arguments](options.md#build-arguments)
	Args map[string]Arg `yaml:"args" rule:"args"`
	// Apps are several apps, by name. Each is a target of buildx. The other keys of the spec hold for all apps, except
	// [App.Project] and [App.Framework], which each app has for itself. A list of an app replaces the list outside of
	// [Spec.Apps], and a map adds to the map there. Empty: one app, of the other keys of the spec.
	//
	//	example: apps: {web: {project: src/Web}, worker: {project: src/Worker, publish: {mode: apphost}}}
	//	Dockerfile: FROM mcr.microsoft.com/dotnet/aspnet:10.0 AS web
	//	see: [Several apps](../howto/many-apps.md)
	Apps map[string]*App `yaml:"apps" rule:"apps"`
	// Tests are test projects, or a map with further keys. --target=test runs them. Empty: no tests.
	//
	//	example: tests: [tests/Unit]
	//	Dockerfile: RUN dotnet test tests/Unit
	//	see: [Tests](../howto/tests.md)
	Tests Tests `yaml:"tests"`
	// SDK selects the image with the .NET SDK that builds the app. Empty: the one that global.json asks for, else the one
	// that the newest TargetFramework needs, at least 10.0.
	//
	//	example: sdk: {version: 10.0}
	//	Dockerfile: FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0 AS build
	SDK SDK `yaml:"sdk"`
	// NuGet says where packages come from, in addition to the repository's nuget.config. Name secrets by the ids of
	// buildx's --secret. Only the steps that restore get them, and the step that asks MSBuild, for MSBuild SDKs that are
	// packages. Empty: the nuget.config of the repository alone.
	//
	//	example: nuget: {locked-mode: true, feeds: [{name: company, password-secret: feed-token}]}
	//	see: [Feeds and secrets](../howto/private-feeds.md)
	NuGet NuGet `yaml:"nuget"`

	// Deprecated are the keys of the file that a later version will remove.
	Deprecated []Deprecated

	lines       map[string]Range
	used        map[string]bool
	perPlatform map[string]bool // paths of values that depend on the platform
	source      *source
	written     map[string]string // values with build arguments, as the file has them
	args        map[string]string // and what those arguments stand for
	app         string            // the name of App in Apps
}

// Deprecated is a key of a file that a later version will remove.
type Deprecated struct {
	// Key is its path, and Instead says what to write in place of it, such as "use base.family".
	Key, Instead string
}

// Arg is an entry of args. A value alone is the default.
type Arg struct {
	// Default is the value if you give none with --build-arg. Empty: an empty text.
	//
	//	example: args: {CHANNEL: {default: stable}}
	//	Dockerfile: ARG CHANNEL=stable
	Default string `yaml:"default,alone" rule:"text"`
	// Description says what the argument is for; --call=outline shows it. Empty: no description.
	//
	//	example: args: {CHANNEL: {default: stable, description: where the image goes}}
	//	Dockerfile: # CHANNEL where the image goes
	Description string `yaml:"description" rule:"text"`
}

// App is an app and its image.
type App struct {
	// Project is a project file, a folder, a solution, or a file-based app (.cs), relative to the context. Write "none"
	// for an image that has only [App.Files]: then nothing is compiled. If a folder has the name none, write "./none".
	// Empty: the one app of the context.
	//
	//	example: project: src/Web/Web.csproj
	//	Dockerfile: RUN dotnet publish src/Web/Web.csproj
	//	see: [An image without a compile](../howto/built-before.md)
	Project string `yaml:"project" rule:"path"`
	// Framework is the TargetFramework to publish. It is needed if the project has several. Empty: the only one.
	//
	//	example: framework: net10.0
	//	Dockerfile: RUN dotnet publish -f net10.0
	//	MSBuild: TargetFramework
	Framework string `yaml:"framework" rule:"framework"`
	// Publish says how the app is published. Empty: as the project's own properties say.
	//
	//	example: publish: {mode: self-contained, configuration: Debug}
	//	Dockerfile: RUN dotnet publish -c Debug --self-contained
	//	see: [Publish modes](publish-modes.md)
	Publish Publish `yaml:"publish"`
	// Base selects the image that the app is put on. Empty: the one that the SDK infers.
	//
	//	example: base: {family: noble-chiseled}
	//	Dockerfile: FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled-extra
	//	see: [The base](publish-modes.md#the-base)
	Base Base `yaml:"base"`
	// Image is the configuration of the image. It wins over the project and the base: a list replaces their list, and a
	// map adds to their map, key by key. Empty: what the project and the base say.
	//
	//	example: image: {user: app, ports: [8080]}
	Image Image `yaml:"image"`
	// Files are further files, folders and links to put into the image, and what to remove or change there. Entries take
	// effect in the order of the list. An entry does not replace a file of the app's own project at the same path. It
	// does replace static web assets, and files of packages and of other projects.
	//
	//	example: files: [{from: deploy/start.sh, to: /usr/local/bin/start.sh, mode: "0755"}, {to: /data}]
	//	Dockerfile: COPY --chmod=0755 deploy/start.sh /usr/local/bin/start.sh
	//	see: [Files of your own](../howto/files.md)
	Files []File `yaml:"files"`
}

// File is an entry of files. It copies, makes an empty folder, links, removes or changes: see [File.Kind].
type File struct {
	// Context is the name of the --build-context that has [File.From]. Empty: the build context.
	//
	//	example: files: [{context: deploy, from: start.sh, to: /usr/local/bin/start.sh}]
	//	Dockerfile: COPY --from=deploy start.sh /usr/local/bin/start.sh
	Context string `yaml:"context" rule:"context,platform"`
	// Image is a reference of an image that has [File.From]. Each platform gets the files of the image for that platform.
	// Empty: the build context.
	//
	//	example: files: [{image: "busybox:1.37", from: /bin/busybox, to: /usr/local/bin/busybox}]
	//	Dockerfile: COPY --from=busybox:1.37 /bin/busybox /usr/local/bin/busybox
	//	see: [From an image](../howto/files.md#from-an-image)
	Image string `yaml:"image" rule:"reference,platform"`
	// From is a file or folder, or a list of them: of the context, of [File.Context] or of [File.Image]. In a name, * ?
	// and [a-z] are wildcards, as in COPY. It can also be an address of a file, or of a git repository as in
	// "https://example.com/tools.git#v1:bin". Empty: all of [File.Context] or [File.Image]; without these too, an empty
	// folder that the app can write to.
	//
	//	example: files: [{from: [deploy/start.sh, "deploy/*.conf"], to: /opt/deploy/}]
	//	Dockerfile: COPY deploy/start.sh deploy/*.conf /opt/deploy/
	//	see: [Files of your own](../howto/files.md)
	From Paths `yaml:"from" rule:"from,platform"`
	// Exclude are patterns of what not to copy, as in .dockerignore, relative to the folder that is copied.
	//
	//	example: files: [{from: web, to: /srv/web, exclude: ["**/*.map"]}]
	//	Dockerfile: COPY --exclude=**/*.map web /srv/web
	Exclude []string `yaml:"exclude" rule:"pattern,platform"`
	// Checksum is the checksum of the file at an address, or the commit of a git repository. A file needs a checksum: if
	// you leave it out, the error says what to write. If the address differs between platforms, write a map with a
	// checksum for each platform or architecture. Empty: for a git repository, the commit that its branch or tag has when
	// you build.
	//
	//	example: files: [{from: "https://a.example/x.git#v1", checksum: 5e2b9a1c9d8f7e6a5b4c3d2e1f0a9b8c7d6e5f40, to: /opt}]
	//	Dockerfile: ADD --checksum=5e2b9a1c9d8f7e6a5b4c3d2e1f0a9b8c7d6e5f40 https://a.example/x.git#v1 /opt
	//	see: [From an address](../howto/files.md#from-an-address)
	Checksum Checksums `yaml:"checksum" rule:"checksum,platform"`
	// Unpack unpacks [File.From], which is a tar archive, plain or compressed with gzip, bzip2, xz or zstd.
	//
	//	example: files: [{from: vendor/tools.tar.gz, unpack: true, to: /opt/tools}]
	//	Dockerfile: ADD vendor/tools.tar.gz /opt/tools
	//	see: [Archives](../howto/files.md#archives)
	Unpack bool `yaml:"unpack" rule:"switch"`
	// Strip is how many folders to leave out at the beginning of each path of an archive, as --strip-components of tar
	// does. Empty: none.
	//
	//	example: files: [{from: vendor/tools.tar.gz, unpack: true, strip: 1, to: /opt/tools}]
	//	Dockerfile: RUN tar -xf tools.tar.gz --strip-components=1 -C /opt/tools
	//	see: [Archives](../howto/files.md#archives)
	Strip int `yaml:"strip" rule:"depth"`
	// To is the path in the image, an absolute one. It is a folder if it ends in a slash. With [File.Link], it is the
	// path that the link leads to. Empty: an error, unless the entry has [File.Remove] or [File.Change].
	//
	//	example: files: [{from: certs, to: /etc/ssl/private/}]
	//	Dockerfile: COPY certs /etc/ssl/private/
	//	see: [What the base has there](../concepts/layers.md#what-the-base-has-there)
	To string `yaml:"to" rule:"image-path,platform"`
	// Link is the path of a symbolic link to make. It leads to [File.To]. Empty: no link.
	//
	//	example: files: [{to: /data}, {link: /var/lib/app, to: /data}]
	//	Dockerfile: RUN ln -s /data /var/lib/app
	//	see: [Links](../howto/files.md#links)
	Link string `yaml:"link" rule:"below,platform"`
	// Remove is what to remove: an absolute path in the image, or a list of them, with wildcards as in [File.From]. It
	// removes files of the app, of the base, and of entries before this one. Empty: nothing.
	//
	//	example: files: [{remove: [/app/*.pdb, /app/appsettings.Development.json]}]
	//	Dockerfile: RUN rm -r /app/*.pdb /app/appsettings.Development.json
	//	see: [Remove files](../howto/files.md#remove-files)
	Remove Paths `yaml:"remove" rule:"below,platform"`
	// Change is what gets the [File.Mode] and [File.Owner] of the entry: an absolute path in the image, or a list of
	// them, with wildcards as in [File.From]. If it is a folder, all files in it get them. Empty: only files that the
	// entry adds get them.
	//
	//	example: files: [{change: /app/tools, mode: "0755"}]
	//	Dockerfile: RUN chmod -R 0755 /app/tools
	//	see: [Modes and owners](../howto/files.md#modes-and-owners)
	Change Paths `yaml:"change" rule:"below,platform"`
	// Mode is the mode of the files, an octal number such as "0644". Empty: for files of an image, an archive or a git
	// repository, their own mode; for other files, everyone can read them, only the owner can write them, and programs
	// stay executable.
	//
	//	example: files: [{from: deploy/start.sh, to: /usr/local/bin/start.sh, mode: "0755"}]
	//	Dockerfile: COPY --chmod=0755 deploy/start.sh /usr/local/bin/start.sh
	Mode string `yaml:"mode" rule:"mode"`
	// Owner is a user, or user:group. Write each as a number, or as a name in [Image.Users], [Image.Groups] or the base.
	// "app" is the user that the image runs as, unless [Image.Users] has that name. If you write a number alone, the
	// group has the same number. If you write a name alone, the group is the main group of that user. Empty: root, but
	// "app" for an empty folder.
	//
	//	example: files: [{from: certs, to: /etc/ssl/private/, owner: "1654:1654"}]
	//	Dockerfile: COPY --chown=1654:1654 certs /etc/ssl/private/
	//	see: [Users of your own](../concepts/layers.md#users-of-your-own)
	Owner string `yaml:"owner" rule:"owner"`
}

// Tests is the `tests` section. A list alone is its projects.
type Tests struct {
	// Projects are test projects, relative to the context.
	//
	//	example: tests: {projects: [tests/Unit]}
	//	Dockerfile: RUN dotnet test tests/Unit
	Projects []string `yaml:"projects,alone" rule:"path"`
	// Filter selects the tests to run, in the syntax of the test framework. Do not write escapes for MSBuild in it, such
	// as %2C for a comma. Empty: all tests.
	//
	//	example: tests: {projects: [tests/Unit], filter: Category!=Slow}
	//	Dockerfile: RUN dotnet test tests/Unit --filter Category!=Slow
	//	MSBuild: VSTestTestCaseFilter
	//	see: [Choose tests](../howto/tests.md#choose-tests)
	Filter string `yaml:"filter" rule:"line"`
	// Settings is a file of the context with settings for the tests, such as a .runsettings file. Empty: the file of
	// RunSettingsFilePath, if the project has that property.
	//
	//	example: tests: {projects: [tests/Unit], settings: tests/ci.runsettings}
	//	Dockerfile: RUN dotnet test tests/Unit --settings tests/ci.runsettings
	//	MSBuild: VSTestSetting, RunSettingsFilePath
	Settings string `yaml:"settings" rule:"path"`
	// Args are further arguments of dotnet test. With Microsoft.Testing.Platform, dotnet test passes arguments that it
	// does not know to the test project. Empty: none.
	//
	//	example: tests: {projects: [tests/Unit], args: [--blame-hang-timeout, 5m]}
	//	Dockerfile: RUN dotnet test tests/Unit --blame-hang-timeout 5m
	//	see: [Choose tests](../howto/tests.md#choose-tests)
	Args []string `yaml:"args" rule:"test-args"`
	// Gate makes every image wait for the tests to pass.
	//
	//	example: tests: {projects: [tests/Unit], gate: true}
	Gate bool `yaml:"gate" rule:"switch"`
	// Secrets are environment variables for the tests: each variable, with the id of the --secret that has its value.
	//
	//	example: tests: {projects: [tests/Unit], secrets: {DB_PASSWORD: db-password}}
	//	Dockerfile: RUN --mount=type=secret,id=db-password,env=DB_PASSWORD dotnet test tests/Unit
	Secrets map[string]string `yaml:"secrets" rule:"secrets"`
}

// Publish is the `publish` section.
type Publish struct {
	// Mode is one of portable, apphost, self-contained, single-file, ready-to-run, trimmed and aot, or a list of modes
	// that go together. Empty: what the project's own properties ask for, else portable.
	//
	//	example: publish: {mode: [self-contained, single-file]}
	//	Dockerfile: RUN dotnet publish --self-contained -p:PublishSingleFile=true
	//	MSBuild: UseAppHost, SelfContained, PublishSingleFile, PublishReadyToRun, PublishTrimmed, PublishAot
	//	see: [Publish modes](publish-modes.md)
	Mode Modes `yaml:"mode" rule:"publish-mode"`
	// Configuration is the MSBuild configuration. Empty: Release, for every framework. (dotnet publish uses Debug for
	// frameworks before .NET 8, and if the project sets PublishRelease to false. You get a warning in these cases.)
	//
	//	example: publish: {configuration: Debug}
	//	Dockerfile: RUN dotnet publish -c Debug
	//	MSBuild: Configuration
	Configuration string `yaml:"configuration" rule:"line"`
	// Inputs are files and folders of the context that the app needs for its build, and that no project file names.
	//
	//	example: publish: {inputs: [shared/texts, eng/icons]}
	//	Dockerfile: COPY shared/texts shared/texts
	//	see: [What a build reads](../concepts/inputs.md)
	Inputs []string `yaml:"inputs" rule:"path"`
	// Properties are further MSBuild properties, for all steps that run MSBuild. A property for which the spec has
	// another key, such as Configuration, is an error here.
	//
	//	example: publish: {properties: {Version: 1.2.3, Nullable: enable}}
	//	Dockerfile: RUN dotnet publish -p:Version=1.2.3 -p:Nullable=enable
	//	MSBuild: the property of each name
	Properties map[string]string `yaml:"properties" rule:"properties"`
	// Secrets are environment variables for the steps of publish: each variable, with the id of the --secret that has
	// its value. MSBuild sees them as properties.
	//
	//	example: publish: {secrets: {SIGNING_KEY: signing-key}}
	//	Dockerfile: RUN --mount=type=secret,id=signing-key,env=SIGNING_KEY dotnet publish
	//	MSBuild: the property of each name
	//	see: [Feeds and secrets](../howto/private-feeds.md)
	Secrets map[string]string `yaml:"secrets" rule:"secrets"`
	// Also are further projects to publish into the same image, each into a folder of its own. The image still starts the
	// app of [App.Project]. Configuration, properties, secrets and SSH agents of [App.Publish] hold for all. Empty: none.
	//
	//	example: publish: {also: [{project: tools/Migrator, to: /migrator}]}
	//	Dockerfile: RUN dotnet publish tools/Migrator -o /out && COPY --from=build /out /migrator
	//	see: [Several projects in one image](../howto/many-apps.md#several-projects-in-one-image)
	Also []Also `yaml:"also"`
	// SSH are the ids of SSH agents that the steps of publish can use, as in buildx's --ssh.
	//
	//	example: publish: {ssh: [default]}
	//	Dockerfile: RUN --mount=type=ssh,id=default dotnet publish
	SSH []string `yaml:"ssh" rule:"agent"`
	// Before are commands that run in the root of the context, before MSBuild reads the projects. Files that they make or
	// change are sources for all later steps, tests too. They run once for all platforms. Empty: no commands.
	//
	//	example: publish: {before: [npm ci --prefix web, npm run build --prefix web]}
	//	Dockerfile: RUN npm ci --prefix web && npm run build --prefix web
	//	see: [Commands of your own](../howto/commands.md)
	Before []Command `yaml:"before"`
	// After are commands that change the published files, in the folder "$PUBLISH_DIR". They start in the folder of the
	// project. They run once for each publish, or once for each platform if one of them uses "$RID", "$TARGETPLATFORM",
	// "$TARGETOS", "$TARGETARCH" or "$TARGETVARIANT". Empty: no commands.
	//
	//	example: publish: {after: ['dotnet ef migrations bundle -r "$RID" -o "$PUBLISH_DIR/efbundle"']}
	//	Dockerfile: RUN dotnet ef migrations bundle -o /app/efbundle
	//	see: [Commands of your own](../howto/commands.md)
	After []Command `yaml:"after"`
	// Tools are images with programs that the commands of [Publish.Before] and [Publish.After] use, in addition to those
	// of the SDK. Without a command, they are an error. Empty: the SDK alone.
	//
	//	example: publish: {before: [npm ci --prefix web], tools: [{image: "node:22-bookworm-slim", paths: [/usr/local]}]}
	//	Dockerfile: COPY --from=node:22-bookworm-slim /usr/local /usr/local
	//	see: [Commands of your own](../howto/commands.md#tools)
	Tools []Tool `yaml:"tools"`
}

// Command is an entry of publish.before or publish.after. A text alone is its line. Lines that begin with "after" are
// for the entry of publish.after.
type Command struct {
	// Run is the command, which "sh -c" runs. A build argument that it names, such as "$VERSION", is an environment
	// variable there. The shell expands it, so quote it as in any script.
	//
	//	example: publish: {before: [{run: npm ci --prefix web}]}
	//	Dockerfile: RUN npm ci --prefix web
	//	after example: publish: {after: [{run: 'dotnet ef migrations bundle -r "$RID" -o "$PUBLISH_DIR/efbundle"'}]}
	//	after Dockerfile: RUN dotnet ef migrations bundle -o /app/efbundle
	Run string `yaml:"run,alone" rule:"shell"`
	// Inputs are the files and folders of the context that the command reads. If you edit another file, the command does
	// not run again. Empty: for a command of [Publish.Before] the whole context, except files such as README.md; for one
	// of [Publish.After] what publish reads.
	//
	//	example: publish: {before: [{run: npm ci --prefix web, inputs: [web/package.json, web/package-lock.json]}]}
	//	Dockerfile: COPY web/package.json web/package-lock.json web/
	//	after example: {project: web, publish: {after: [{run: 'cp notice.txt "$PUBLISH_DIR"', inputs: [web/notice.txt]}]}}
	//	after Dockerfile: COPY web/notice.txt /app/
	//	see: [What commands read](../concepts/inputs.md#what-commands-read)
	Inputs []string `yaml:"inputs" rule:"path"`
	// Secrets are environment variables for the command: each variable, with the id of the --secret that has its value.
	//
	//	example: publish: {before: [{run: npm ci, secrets: {NPM_TOKEN: npm-token}}]}
	//	Dockerfile: RUN --mount=type=secret,id=npm-token,env=NPM_TOKEN npm ci
	//	after example: publish: {after: [{run: './sign.sh "$PUBLISH_DIR"', secrets: {SIGNING_KEY: signing-key}}]}
	//	after Dockerfile: RUN --mount=type=secret,id=signing-key,env=SIGNING_KEY ./sign.sh /app
	Secrets map[string]string `yaml:"secrets" rule:"secrets"`
	// SSH are the ids of SSH agents that the command can use, as in buildx's --ssh.
	//
	//	example: publish: {before: [{run: npm ci, ssh: [default]}]}
	//	Dockerfile: RUN --mount=type=ssh,id=default npm ci
	//	after example: publish: {after: [{run: './sign.sh "$PUBLISH_DIR"', ssh: [default]}]}
	//	after Dockerfile: RUN --mount=type=ssh,id=default ./sign.sh /app
	SSH []string `yaml:"ssh" rule:"agent"`
	// Network is the network that the command has: default, none or host. For host, your builder has to allow it. Empty:
	// default, which is what --network of buildx says.
	//
	//	example: publish: {before: [{run: npm run build, network: none}]}
	//	Dockerfile: RUN --network=none npm run build
	//	after example: publish: {after: [{run: 'cd "$PUBLISH_DIR" && sha256sum *.dll > SHA256SUMS', network: none}]}
	//	after Dockerfile: RUN --network=none cd /app && sha256sum *.dll > SHA256SUMS
	Network string `yaml:"network" rule:"network"`
	// Cache are folders that stay on the builder from build to build: for each, a name and the path that the command
	// sees. Every build on the builder that uses the name can write there. Empty: no such folders.
	//
	//	example: publish: {before: [{run: npm ci, cache: {npm: /root/.npm}}]}
	//	Dockerfile: RUN --mount=type=cache,id=npm,target=/root/.npm npm ci
	//	after example: publish: {after: [{run: './thumbnails.sh "$PUBLISH_DIR"', cache: {thumbnails: /thumbnails}}]}
	//	after Dockerfile: RUN --mount=type=cache,id=thumbnails,target=/thumbnails ./thumbnails.sh /app
	//	see: [Cache folders](../concepts/security-model.md#cache-folders)
	Cache map[string]string `yaml:"cache" rule:"cache"`
}

// Tool is an entry of publish.tools.
type Tool struct {
	// Image is a full image reference. Commands get files of the image for the builder's platform.
	//
	//	example: publish: {before: [npm ci --prefix web], tools: [{image: "node:22-bookworm-slim", paths: [/usr/local]}]}
	//	Dockerfile: COPY --from=node:22-bookworm-slim /usr/local /usr/local
	Image string `yaml:"image" rule:"reference"`
	// Paths are absolute paths of files and folders of the image. Commands have them at the same paths. If a folder in
	// the PATH of the image is among them, the commands have it in their PATH, too.
	//
	//	example: publish: {before: [go generate ./...], tools: [{image: "golang:1.25", paths: [/usr/local/go]}]}
	//	Dockerfile: COPY --from=golang:1.25 /usr/local/go /usr/local/go
	Paths []string `yaml:"paths" rule:"tool-path"`
}

// Also is an entry of publish.also.
type Also struct {
	// Project is a project file, a folder or a solution, relative to the context.
	//
	//	example: publish: {also: [{project: tools/Migrator, to: /migrator}]}
	//	Dockerfile: RUN dotnet publish tools/Migrator
	Project string `yaml:"project" rule:"path"`
	// Framework is the TargetFramework to publish. It is needed if the project has several. Empty: the only one.
	//
	//	example: publish: {also: [{project: tools/Migrator, framework: net10.0, to: /migrator}]}
	//	Dockerfile: RUN dotnet publish tools/Migrator -f net10.0
	//	MSBuild: TargetFramework
	Framework string `yaml:"framework" rule:"framework"`
	// Mode is the mode of the project, as in [Publish.Mode]. Empty: what the project's own properties ask for, else
	// portable.
	//
	//	example: publish: {also: [{project: tools/Migrator, mode: self-contained, to: /migrator}]}
	//	Dockerfile: RUN dotnet publish tools/Migrator --self-contained
	//	MSBuild: UseAppHost, SelfContained, PublishSingleFile, PublishReadyToRun, PublishTrimmed, PublishAot
	//	see: [Publish modes](publish-modes.md)
	Mode Modes `yaml:"mode" rule:"publish-mode"`
	// To is the folder of the image for the files, an absolute path.
	//
	//	example: publish: {also: [{project: tools/Migrator, to: /migrator}]}
	//	Dockerfile: COPY --from=build /out /migrator
	To string `yaml:"to" rule:"image-path"`
}

// SDK is the `sdk` section. Set at most one of image and version.
type SDK struct {
	// Image is a full image reference of an SDK, in place of [SDK.Version]. Empty: the image of [SDK.Version].
	//
	//	example: sdk: {image: "registry.example.com/dotnet-sdk:10.0"}
	//	Dockerfile: FROM --platform=$BUILDPLATFORM registry.example.com/dotnet-sdk:10.0 AS build
	Image string `yaml:"image" rule:"reference"`
	// Version is a tag of mcr.microsoft.com/dotnet/sdk, such as "10.0". Empty: what global.json asks for, else what the
	// newest TargetFramework needs, at least 10.0.
	//
	//	example: sdk: {version: 10.0}
	//	Dockerfile: FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0 AS build
	Version string `yaml:"version" rule:"tag"`
	// Toolchain is the image that publishes with AOT: an image of the SDK that has a linker. Empty: the -aot variant of
	// the SDK.
	//
	//	example: sdk: {toolchain: "registry.example.com/dotnet-sdk-aot-cross:10.0"}
	//	Dockerfile: FROM --platform=$BUILDPLATFORM registry.example.com/dotnet-sdk-aot-cross:10.0 AS build
	//	see: [Native AOT](publish-modes.md#native-aot)
	Toolchain string `yaml:"toolchain" rule:"reference"`
}

// Base is the `base` section. Set at most one of image and family.
type Base struct {
	// Image is a full image reference, in place of [Base.Family]. Empty: ContainerBaseImage, else the image that the SDK
	// infers.
	//
	//	example: base: {image: "registry.example.com/dotnet-base:10.0"}
	//	Dockerfile: FROM registry.example.com/dotnet-base:10.0
	//	MSBuild: ContainerBaseImage
	Image string `yaml:"image" rule:"reference"`
	// Family is the variant of the image that the SDK infers, such as "noble-chiseled". Empty: ContainerFamily, else the
	// variant that the SDK infers.
	//
	//	example: base: {family: noble-chiseled}
	//	Dockerfile: FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled-extra
	//	MSBuild: ContainerFamily
	Family string `yaml:"family" rule:"family"`
	// Packages are packages of Debian or Ubuntu to install on the base, for every platform and without an emulator. The
	// base needs apt. Empty: none.
	//
	//	example: base: {packages: [libfontconfig1, tzdata]}
	//	Dockerfile: RUN apt-get update && apt-get install -y --no-install-recommends libfontconfig1 tzdata
	//	see: [OS packages](../howto/os-packages.md)
	Packages Packages `yaml:"packages"`
}

// Packages is the `base.packages` section. A list alone is what to install.
type Packages struct {
	// Install are the packages. You can add a version or a suite, as in curl=7.88.1-10+deb12u* or
	// curl/bookworm-backports.
	//
	//	example: base: {packages: {install: [libfontconfig1, "curl=7.88.1-10+deb12u*"]}}
	//	Dockerfile: RUN apt-get update && apt-get install -y --no-install-recommends libfontconfig1 curl=7.88.1-10+deb12u*
	Install []string `yaml:"install,alone" rule:"package"`
	// Only are further packages for some platforms: a list for each platform or architecture.
	//
	//	example: base: {packages: {install: [curl], only: {amd64: [intel-media-va-driver]}}}
	//	Dockerfile: RUN [ $TARGETARCH != amd64 ] || apt-get install -y intel-media-va-driver
	Only map[string][]string `yaml:"only" rule:"only"`
	// Recommends also installs the packages that those in the list recommend.
	//
	//	example: base: {packages: {install: [chromium], recommends: true}}
	//	Dockerfile: RUN apt-get update && apt-get install -y chromium
	Recommends bool `yaml:"recommends" rule:"switch"`
	// Snapshot is a time: the image gets the versions of packages that the archive had then. The base needs apt 2.7.12 or
	// later, and an archive that keeps snapshots, such as that of Ubuntu. Empty: the packages of today, or those in
	// BuildKit's cache.
	//
	//	example: base: {packages: {install: [curl], snapshot: "2026-11-01T00:00:00Z"}}
	//	Dockerfile: RUN apt-get install -y --snapshot 20261101T000000Z curl
	Snapshot string `yaml:"snapshot" rule:"time"`
	// Sources are sources of packages, by name: the line of a .list file, or the lines of a .sources file. If the base
	// has a file of that name, the source replaces the file. The sources are not in the image. Empty: the sources of the
	// base.
	//
	//	example: base: {packages: {install: [tool], sources: {tools: "deb https://pkg.example.com/debian stable main"}}}
	//	Dockerfile: RUN echo "deb https://pkg.example.com/debian stable main" > /etc/apt/sources.list.d/tools.list
	Sources map[string]string `yaml:"sources" rule:"apt-source"`
	// Keys are the keys that sign sources: for the name of each source, the path of a file of the context with its key.
	// Empty: the keys of the base.
	//
	//	example: base: {packages: {install: [tool], sources: {tools: "deb https://example.com/ ./"}, keys: {tools: a.asc}}}
	//	Dockerfile: COPY a.asc /etc/apt/keyrings/tools.asc
	Keys map[string]string `yaml:"keys" rule:"apt-key"`
	// SkipScripts are packages whose scripts may be left out on other platforms than the builder's. Use it only if the
	// error of a build tells you to: crosshull cannot repeat what some scripts do on another platform. It repeats what
	// else they do, even if only the builder's platform gets the package.
	//
	//	example: base: {packages: {install: [tool], skip-scripts: [tool]}}
	SkipScripts []string `yaml:"skip-scripts" rule:"package-name"`
}

// NuGet is the `nuget` section.
type NuGet struct {
	// Feeds are package sources, or credentials for sources in a nuget.config of the repository.
	//
	//	example: nuget: {feeds: [{name: company, source: "https://feed.example.com/v3/index.json", password-secret: token}]}
	//	Dockerfile: RUN dotnet nuget add source https://feed.example.com/v3/index.json -n company
	//	see: [Feeds and secrets](../howto/private-feeds.md)
	Feeds []Feed `yaml:"feeds"`
	// Secrets are environment variables for restore, as for %NAME% in a nuget.config: each variable, with the id of the
	// --secret that has its value.
	//
	//	example: nuget: {secrets: {FEED_TOKEN: feed-token}}
	//	Dockerfile: RUN --mount=type=secret,id=feed-token,env=FEED_TOKEN dotnet restore
	Secrets map[string]string `yaml:"secrets" rule:"secrets"`
	// ConfigSecret is the id of a secret that is a whole nuget.config. NuGet then reads none of the repository. Empty:
	// the nuget.config of the repository.
	//
	//	example: nuget: {config-secret: nuget-config}
	//	Dockerfile: RUN --mount=type=secret,id=nuget-config dotnet restore --configfile /run/secrets/nuget-config
	//	MSBuild: RestoreConfigFile
	ConfigSecret string `yaml:"config-secret" rule:"id"`
	// LockedMode makes restore fail if packages.lock.json does not fit the projects. Nil: as the project says.
	//
	//	example: nuget: {locked-mode: true}
	//	Dockerfile: RUN dotnet restore --locked-mode
	//	MSBuild: RestoreLockedMode
	LockedMode *bool `yaml:"locked-mode" rule:"switch"`
	// Audit turns NuGet's check for vulnerable packages on or off. Nil: as the project says.
	//
	//	example: nuget: {audit: false}
	//	Dockerfile: RUN dotnet restore -p:NuGetAudit=false
	//	MSBuild: NuGetAudit
	Audit *bool `yaml:"audit" rule:"switch"`
	// CA is a PEM file of the context with certificates to trust for feeds, besides those of the SDK image. Empty: only
	// those of the SDK image.
	//
	//	example: nuget: {ca: eng/company.pem}
	//	Dockerfile: RUN SSL_CERT_FILE=/src/eng/company.pem dotnet restore
	CA string `yaml:"ca" rule:"path"`
	// CASecret is the id of a secret with certificates to trust for feeds, in place of [NuGet.CA]. Empty: only those of
	// the SDK image.
	//
	//	example: nuget: {ca-secret: company-ca}
	//	Dockerfile: RUN --mount=type=secret,id=company-ca SSL_CERT_FILE=/run/secrets/company-ca dotnet restore
	CASecret string `yaml:"ca-secret" rule:"id"`
}

// Feed is an entry of nuget.feeds.
type Feed struct {
	// Name is the key of the source, as in nuget.config.
	//
	//	example: nuget: {feeds: [{name: company, password-secret: feed-token}]}
	//	Dockerfile: RUN dotnet nuget add source https://feed.example.com/v3/index.json -n company
	Name string `yaml:"name" rule:"feed"`
	// Source is the URL of the feed's index. Empty: the source of that name in a nuget.config of the repository.
	//
	//	example: nuget: {feeds: [{name: company, source: "https://feed.example.com/v3/index.json"}]}
	//	Dockerfile: RUN dotnet nuget add source https://feed.example.com/v3/index.json -n company
	Source string `yaml:"source" rule:"source"`
	// Username is the user name that goes with the password. A feed that takes tokens accepts any name. Empty:
	// "crosshull".
	//
	//	example: nuget: {feeds: [{name: company, username: me, password-secret: feed-token}]}
	//	Dockerfile: RUN dotnet nuget update source company -u me -p …
	Username string `yaml:"username" rule:"line"`
	// PasswordSecret is the id of the secret with the password or token. It is needed if [Feed.Source] is missing. Empty:
	// no credentials.
	//
	//	example: nuget: {feeds: [{name: company, password-secret: feed-token}]}
	//	Dockerfile: RUN --mount=type=secret,id=feed-token,env=FEED_TOKEN dotnet restore
	PasswordSecret string `yaml:"password-secret" rule:"id"`
}

// Image is the `image` section. A list replaces that of the project and the base, and a map adds to theirs key by key.
type Image struct {
	// Entrypoint is the command that the image runs, as a list of words. The arguments that the project sets are dropped
	// then: write yours in [Image.Args]. Empty: how the SDK starts the app.
	//
	//	example: image: {entrypoint: [dotnet, /app/Web.dll]}
	//	Dockerfile: ENTRYPOINT ["dotnet", "/app/Web.dll"]
	//	MSBuild: ContainerAppCommand, ContainerEntrypoint
	Entrypoint []string `yaml:"entrypoint" rule:"command,platform"`
	// Args are arguments of the command. Arguments in docker run replace them. Empty: ContainerDefaultArgs.
	//
	//	example: image: {args: [--urls, "http://+:8080"]}
	//	Dockerfile: CMD ["--urls", "http://+:8080"]
	//	MSBuild: ContainerDefaultArgs
	Args []string `yaml:"args" rule:"text,platform"`
	// User is the name or number that the image runs as. Empty: ContainerUser, else APP_UID or the user of the base.
	//
	//	example: image: {user: app}
	//	Dockerfile: USER app
	//	MSBuild: ContainerUser
	User string `yaml:"user" rule:"user,platform"`
	// Users are users to add to those of the base. Nothing runs in the image: crosshull adds lines to the files in /etc
	// that list users. If the base has a user with that name and number, crosshull adds only missing [User.Groups].
	// Empty: the users of the base.
	//
	//	example: image: {user: shop, users: [{name: shop, uid: 10001}]}
	//	Dockerfile: RUN useradd --create-home --uid 10001 shop
	//	see: [Users of your own](../concepts/layers.md#users-of-your-own)
	Users []User `yaml:"users"`
	// Groups are groups to add to those of the base. A user without [User.GID] gets a group of its own, which you need
	// not write here. Empty: the groups of the base.
	//
	//	example: image: {groups: [{name: media, gid: 10100}], users: [{name: shop, uid: 10001, groups: [media]}]}
	//	Dockerfile: RUN groupadd --gid 10100 media
	//	see: [Users of your own](../concepts/layers.md#users-of-your-own)
	Groups []Group `yaml:"groups"`
	// Workdir is the folder that the app starts in, an absolute path. It does not move the files of the app, which are in
	// ContainerWorkingDirectory. Empty: ContainerWorkingDirectory, else "/app".
	//
	//	example: image: {workdir: /srv}
	//	Dockerfile: WORKDIR /srv
	//	MSBuild: ContainerWorkingDirectory
	Workdir string `yaml:"workdir" rule:"image-path,platform"`
	// Env are environment variables. They add to those of the project and of the base. A value is a text: variables of
	// the base are not expanded in it, so write a PATH as a whole. Empty: those of the project and of the base.
	//
	//	example: image: {env: {LANG: C.UTF-8}}
	//	Dockerfile: ENV LANG=C.UTF-8
	//	MSBuild: ContainerEnvironmentVariable
	Env map[string]string `yaml:"env" rule:"env,platform"`
	// Ports are the ports that the app listens on: a number or a range, such as "8080" or "8000-8010/udp". Empty: those of
	// the base, ContainerPort, and what ASPNETCORE_URLS, ASPNETCORE_HTTP_PORTS and ASPNETCORE_HTTPS_PORTS say.
	//
	//	example: image: {ports: [8080, 9090/udp]}
	//	Dockerfile: EXPOSE 8080 9090/udp
	//	MSBuild: ContainerPort
	Ports []string `yaml:"ports" rule:"port,platform"`
	// Labels are labels for the image of each platform. They add to those of the base and of the SDK. Empty: those of the
	// base and of the SDK.
	//
	//	example: image: {labels: {com.example.team: shop}}
	//	Dockerfile: LABEL com.example.team=shop
	//	MSBuild: ContainerLabel
	//	see: [Labels and annotations](labels.md)
	Labels map[string]string `yaml:"labels" rule:"labels,platform"`
	// Annotations are annotations on the manifest of each platform. Empty: those that name the base and, with [Image.VCS],
	// the commit.
	//
	//	example: image: {annotations: {com.example.cost: "7"}}
	//	see: [Annotations](labels.md#annotations)
	Annotations map[string]string `yaml:"annotations" rule:"labels,platform"`
	// AnnotateIndex puts the annotations on the index of the images too, with those that name the base. If a builder has
	// several nodes, buildx makes the index, and leaves them out.
	//
	//	example: image: {annotations: {com.example.cost: "7"}, annotate-index: true}
	//	see: [Annotations](labels.md#annotations)
	AnnotateIndex bool `yaml:"annotate-index" rule:"switch"`
	// VCS adds labels and annotations with repository and commit. Nil: as PublishRepositoryUrl of the project says.
	//
	//	example: image: {vcs: true}
	//	MSBuild: PublishRepositoryUrl
	//	see: [Labels and annotations](labels.md)
	VCS *bool `yaml:"vcs" rule:"switch"`
	// Volumes are folders that the engine keeps outside of the container, as absolute paths. They add to those of the
	// base. Empty: those of the base.
	//
	//	example: image: {volumes: [/data]}
	//	Dockerfile: VOLUME /data
	Volumes []string `yaml:"volumes" rule:"volume,platform"`
	// Healthcheck says how an engine finds out whether the app works. It replaces the health check of the base. Empty:
	// the one of the base.
	//
	//	example: image: {healthcheck: {test: [CMD, dotnet, /app/probe.dll], interval: 30s}}
	//	Dockerfile: HEALTHCHECK --interval=30s CMD ["dotnet", "/app/probe.dll"]
	Healthcheck *Healthcheck `yaml:"healthcheck"`
	// StopSignal is the signal that ends the app, such as "SIGTERM". Empty: the one of the base.
	//
	//	example: image: {stop-signal: SIGINT}
	//	Dockerfile: STOPSIGNAL SIGINT
	StopSignal string `yaml:"stop-signal" rule:"signal"`
}

// User is an entry of image.users.
type User struct {
	// Name is the name of the user.
	//
	//	example: image: {users: [{name: shop, uid: 10001}]}
	//	Dockerfile: RUN useradd --uid 10001 shop
	Name string `yaml:"name" rule:"account"`
	// UID is the number of the user. You have to choose it, because a number that crosshull chose could change with the
	// base.
	//
	//	example: image: {users: [{name: shop, uid: 10001}]}
	//	Dockerfile: RUN useradd --uid 10001 shop
	UID string `yaml:"uid" rule:"uid"`
	// GID is the main group of the user, by number or by name. If no group has the number, crosshull adds one with the
	// name of the user. Empty: a group with the name and the number of the user.
	//
	//	example: image: {users: [{name: shop, uid: 10001, gid: 0}]}
	//	Dockerfile: RUN useradd --uid 10001 --gid 0 shop
	GID string `yaml:"gid" rule:"group"`
	// Groups are further groups of the user, by name or by number: groups of the base, or of [Image.Groups].
	//
	//	example: image: {users: [{name: shop, uid: 10001, groups: [video, 5]}]}
	//	Dockerfile: RUN useradd --uid 10001 --groups video,5 shop
	Groups []string `yaml:"groups" rule:"group"`
	// Home is the home folder. If the base does not have it, crosshull makes it with mode 0755, and it belongs to the
	// user. "/nonexistent" is never made. Empty: /home with the name of the user.
	//
	//	example: image: {users: [{name: shop, uid: 10001, home: /srv/shop}]}
	//	Dockerfile: RUN useradd --uid 10001 --create-home --home-dir /srv/shop shop
	Home string `yaml:"home" rule:"account-path"`
	// Shell is the program that a login starts. Empty: "/bin/sh".
	//
	//	example: image: {users: [{name: shop, uid: 10001, shell: /usr/sbin/nologin}]}
	//	Dockerfile: RUN useradd --uid 10001 --shell /usr/sbin/nologin shop
	Shell string `yaml:"shell" rule:"account-path"`
}

// Group is an entry of image.groups.
type Group struct {
	// Name is the name of the group.
	//
	//	example: image: {groups: [{name: media, gid: 10100}]}
	//	Dockerfile: RUN groupadd --gid 10100 media
	Name string `yaml:"name" rule:"account"`
	// GID is the number of the group. You have to choose it, like that of a user.
	//
	//	example: image: {groups: [{name: media, gid: 10100}]}
	//	Dockerfile: RUN groupadd --gid 10100 media
	GID string `yaml:"gid" rule:"uid"`
}

// Healthcheck is the `image.healthcheck` section. Durations use Go's format: "30s", "1m30s".
type Healthcheck struct {
	// Test is the command to run: a list with the program and its arguments. "CMD" may stand before them, as in Compose.
	// For a line of a shell, write "CMD-SHELL" and the line, as in [CMD-SHELL, "curl -f http://localhost:8080 || exit
	// 1"]. "NONE" alone drops the health check of the base.
	//
	//	example: image: {healthcheck: {test: [CMD, dotnet, /app/probe.dll]}}
	//	Dockerfile: HEALTHCHECK CMD ["dotnet", "/app/probe.dll"]
	Test []string `yaml:"test" rule:"probe,platform"`
	// Interval is the time between two runs, such as "30s". Empty: the engine's default, 30 seconds in Docker.
	//
	//	example: image: {healthcheck: {test: [CMD, dotnet, /app/probe.dll], interval: 30s}}
	//	Dockerfile: HEALTHCHECK --interval=30s CMD ["dotnet", "/app/probe.dll"]
	Interval string `yaml:"interval" rule:"duration,platform"`
	// Timeout is the time after which a run counts as failed, such as "5s". Empty: the engine's default, 30 seconds in
	// Docker.
	//
	//	example: image: {healthcheck: {test: [CMD, dotnet, /app/probe.dll], timeout: 5s}}
	//	Dockerfile: HEALTHCHECK --timeout=5s CMD ["dotnet", "/app/probe.dll"]
	Timeout string `yaml:"timeout" rule:"duration,platform"`
	// StartPeriod is the time after the start during which a failed run does not count, such as "1m30s". Empty: the
	// engine's default, no time in Docker.
	//
	//	example: image: {healthcheck: {test: [CMD, dotnet, /app/probe.dll], start-period: 1m30s}}
	//	Dockerfile: HEALTHCHECK --start-period=1m30s CMD ["dotnet", "/app/probe.dll"]
	StartPeriod string `yaml:"start-period" rule:"duration,platform"`
	// Retries are the failed runs in a row after which the app counts as unhealthy. Empty: the engine's default, 3 in
	// Docker.
	//
	//	example: image: {healthcheck: {test: [CMD, dotnet, /app/probe.dll], retries: 5}}
	//	Dockerfile: HEALTHCHECK --retries=5 CMD ["dotnet", "/app/probe.dll"]
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
