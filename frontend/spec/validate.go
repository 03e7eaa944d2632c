package spec

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

var (
	envName     = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`) // the SDK's rule for ContainerEnvironmentVariable
	port        = regexp.MustCompile(`^[0-9]{1,5}(/(tcp|udp))?$`)
	appName     = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)
	contextName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`) // a repository of an image reference, see dockerui.NamedContext
	fileMode    = regexp.MustCompile(`^0?[0-7]{3,4}$`)
	owner       = regexp.MustCompile(`^(app|[0-9]+(:[0-9]+)?)$`)
	feedName    = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9._-]*$`) // also the name of an XML element
	// MSBuild's rule for property names (XmlUtilities.IsValidElementName)
	property = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
)

// reserved are the targets that every spec has, but for those that are about an app.
var reserved = []string{"image", "publish", "sbom", "sdk", "test"}

// reservedEnd is how the names end of what every app has besides its image.
var reservedEnd = regexp.MustCompile(`-(publish|sbom|sdk)$`)

// Reserved says whether an app cannot have a name, as another target has it.
func Reserved(name string) bool {
	return slices.Contains(reserved, name) || reservedEnd.MatchString(name)
}

// owned are the properties that crosshull sets itself, with the key that says the same.
var owned = map[string]string{
	"Configuration":              "publish.configuration",
	"TargetFramework":            "framework",
	"ContainerBaseImage":         "base.image",
	"ContainerFamily":            "base.family",
	"RuntimeIdentifier":          "buildx's --platform",
	"RuntimeIdentifiers":         "buildx's --platform",
	"PublishDir":                 "",
	"SelfContained":              "publish.mode",
	"UseAppHost":                 "publish.mode",
	"PublishAot":                 "publish.mode",
	"PublishTrimmed":             "publish.mode",
	"PublishSingleFile":          "publish.mode",
	"PublishReadyToRun":          "publish.mode",
	"RestorePackagesPath":        "",
	"BaseIntermediateOutputPath": "",
}

// validate checks what a type cannot say.
func validate(s *Spec, d *decoder) {
	errorf := func(path, format string, args ...any) {
		d.errs = append(d.errs, &Error{s.Range(path), fmt.Sprintf(format, args...)})
	}
	for name := range s.Args {
		switch {
		case !envName.MatchString(name):
			errorf("args."+name, "args: %q is not a name: write letters, digits and _", name)
		case name == "SOURCE_DATE_EPOCH" || strings.HasPrefix(name, "BUILDKIT_") || strings.HasSuffix(strings.ToLower(name), "_proxy"):
			errorf("args."+name, "args: %s is an argument of BuildKit's own, and need not be declared", name)
		}
	}
	validateApp(&s.App, "", errorf)
	for name, app := range s.Apps {
		at := "apps." + name
		switch {
		case !appName.MatchString(name):
			errorf(at, "app %q: a name is of lower-case letters, digits, - and _, as it is a target of buildx", name)
		case Reserved(name):
			errorf(at, "app %q: that is the name of another target", name)
		}
		if app == nil { // what apps is, is no map of apps, which has been said
			continue
		}
		validateApp(app, at+".", func(path, format string, args ...any) {
			if s.Has(path) { // else it is said of the common part
				errorf(path, format, args...)
			}
		})
	}
	if len(s.Apps) > 0 && s.Project != "" {
		errorf("project", "project belongs into each of apps")
	}
	if s.Tests.Gate && len(s.Tests.Projects) == 0 {
		errorf("tests", "tests.gate has no tests to wait for")
	}
	for i, p := range s.Tests.Projects {
		validatePath(p, fmt.Sprintf("tests.%d", i), "test", errorf)
	}
	if s.SDK.Image != "" && s.SDK.Version != "" {
		errorf("sdk", "sdk.image and sdk.version exclude each other: the image has its version in its tag")
	}
	validateSecrets(s.NuGet.Secrets, "nuget.secrets", errorf)
	validateSecrets(s.Tests.Secrets, "tests.secrets", errorf)
	for i, f := range s.NuGet.Feeds {
		at := fmt.Sprintf("nuget.feeds.%d", i)
		switch {
		case !feedName.MatchString(f.Name):
			errorf(at, "nuget.feeds: name %q: write the key of the source, of letters, digits, '.', '_' and '-', as in name: github", f.Name)
		case f.Source == "" && f.PasswordSecret == "":
			errorf(at, "feed %s says nothing: give it a source, or a password-secret for the source of that name in nuget.config", f.Name)
		case f.Source != "" && !strings.HasPrefix(f.Source, "https://") && !strings.HasPrefix(f.Source, "http://"):
			errorf(at+".source", "source of feed %s: %q is not a URL; a folder of the repository belongs into its nuget.config", f.Name, f.Source)
		}
		if u, err := url.Parse(f.Source); err == nil && u.User != nil {
			errorf(at+".source", "source of feed %s has credentials in it: use username and password-secret", f.Name)
		}
	}
	validatePath(s.NuGet.CA, "nuget.ca", "file", errorf)
	if s.NuGet.CA != "" && s.NuGet.CASecret != "" {
		errorf("nuget", "nuget.ca and nuget.ca-secret exclude each other")
	}
	if s.NuGet.ConfigSecret != "" && len(s.NuGet.Feeds) > 0 {
		errorf("nuget", "nuget.config-secret and nuget.feeds exclude each other: with a configuration by secret no other is read")
	}
}

// validateApp checks an app, whose keys begin with prefix.
func validateApp(app *App, prefix string, report func(path, format string, args ...any)) {
	errorf := func(path, format string, args ...any) { report(prefix+path, format, args...) }
	validatePath(app.Project, "project", "project", errorf)
	for i, p := range app.Publish.Inputs {
		validatePath(p, fmt.Sprintf("publish.inputs.%d", i), "input", errorf)
	}
	validateSecrets(app.Publish.Secrets, "publish.secrets", errorf)
	for i, f := range app.Files {
		at := fmt.Sprintf("files.%d", i)
		validatePath(f.From, at, "file", errorf)
		switch {
		case f.Context != "" && !contextName.MatchString(f.Context):
			errorf(at, "files: context %q is no name that buildx takes: write lower-case letters, digits, - and _", f.Context)
		case !path.IsAbs(f.To):
			errorf(at, "files: to %q must be an absolute path in the image", f.To)
		case f.Mode != "" && !fileMode.MatchString(f.Mode):
			errorf(at, "files: mode %q is not an octal number such as 0644", f.Mode)
		case f.Owner != "" && !owner.MatchString(f.Owner):
			errorf(at, "files: owner %q: write a number, two as in 1654:1654, or app for the user that the image runs as", f.Owner)
		}
	}
	for k := range app.Publish.Properties {
		at := "publish.properties." + k
		if !property.MatchString(k) {
			errorf(at, "%q is not a name of an MSBuild property", k)
		}
		if by, ok := owned[k]; ok && by == "" {
			errorf(at, "property %s is crosshull's own and cannot be set", k)
		} else if ok {
			errorf(at, "property %s is set by crosshull: use %s", k, by)
		}
	}
	if app.Base.Image != "" && app.Base.Family != "" {
		errorf("base", "base.image and base.family exclude each other: a family is a variant of the image that the SDK infers")
	}
	if w := app.Image.Workdir; w != "" && !path.IsAbs(w) {
		errorf("image.workdir", "image.workdir %q must be an absolute path", w)
	}
	for k := range app.Image.Env {
		if !envName.MatchString(k) {
			errorf("image.env."+k, "%q is not a name of an environment variable", k)
		}
	}
	for i, p := range app.Image.Ports {
		if !port.MatchString(p) {
			errorf(fmt.Sprintf("image.ports.%d", i), "port %q: write a number, or a number and /tcp or /udp", p)
		}
	}
	for i, v := range app.Image.Volumes {
		if !path.IsAbs(v) {
			errorf(fmt.Sprintf("image.volumes.%d", i), "volume %q must be an absolute path", v)
		}
	}
	if h := app.Image.Healthcheck; h != nil {
		if len(h.Test) == 0 {
			errorf("image.healthcheck", "image.healthcheck needs a test: the command to run, as a list, or [NONE]")
		}
		for key, v := range map[string]string{"interval": h.Interval, "timeout": h.Timeout, "start-period": h.StartPeriod} {
			if _, err := time.ParseDuration(v); v != "" && err != nil {
				errorf("image.healthcheck."+key, "image.healthcheck.%s %q is not a duration such as 30s or 1m", key, v)
			}
		}
		if h.Retries < 0 {
			errorf("image.healthcheck.retries", "image.healthcheck.retries must not be negative")
		}
	}
}

// validateSecrets checks a map of environment variables to ids of secrets.
func validateSecrets(secrets map[string]string, at string, errorf func(path, format string, args ...any)) {
	for k, id := range secrets {
		switch {
		case !envName.MatchString(k):
			errorf(at+"."+k, "%q is not a name of an environment variable", k)
		case id == "":
			errorf(at+"."+k, "%s.%s needs the id of a secret, as in --secret id=ID", at, k)
		}
	}
}

// validatePath checks a path of the context.
func validatePath(p, at, what string, errorf func(path, format string, args ...any)) {
	clean := path.Clean(p)
	switch {
	case p == "":
	case strings.Contains(p, `\`):
		errorf(at, "%s %q: write / between folders", what, p)
	case path.IsAbs(p) || clean == ".." || strings.HasPrefix(clean, "../"):
		errorf(at, "%s %q is outside the build context: paths are relative to it", what, p)
	}
}
