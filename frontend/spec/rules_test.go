package spec

import (
	"regexp"
	"strings"
)

// A rule is what validate says of a text: of the value of a key, or of every value in its list or map.
type rule struct {
	pattern string // of texts without a build argument, which may bring anything
	says    string // to who writes what does not fit
	// What may stand for the text, unless it is a string alone. A value is taken as it is written, so a number and true are
	// texts, and nothing is an empty one; the pattern does not see them.
	also *node

	names    string // pattern of the keys of a map
	reserved string // and of those that are refused all the same
	unnamed  string // says of a key that does not fit
}

var (
	plain    = &node{Type: []string{"number", "boolean", "null"}}
	nothing  = &node{Type: "null"}
	integers = &node{Type: []string{"integer", "null"}, Minimum: new(0)}

	inContext = rule{
		pattern: `^([^/\\.][^\\]*|\.([^.\\][^\\]*)?|\.\.[^/\\][^\\]*)?$`, // not in all of validatePath's ways
		says:    "A path is relative to the context, does not leave it, and has / between folders.",
		also:    plain,
	}
	inImage  = rule{pattern: `^/`, says: "A path in the image is absolute: it begins with /."}
	duration = rule{
		pattern: `^([-+]?(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)?$`,
		says:    "A duration has units, as in 30s or 1m30s.",
		also:    &node{Type: []string{"integer", "null"}, Minimum: new(0), Maximum: new(0)},
	}
	variables = rule{also: plain, names: envName.String(), unnamed: "That is not a name of an environment variable."}
	secrets   = rule{
		pattern: `.`, says: "A secret is named by its id, as in --secret id=ID.",
		also:  &node{Type: []string{"number", "boolean"}},
		names: variables.names, unnamed: variables.unnamed,
	}

	rules = map[string]rule{
		"Spec.Args": {
			names: envName.String(), reserved: `^SOURCE_DATE_EPOCH$|^BUILDKIT_|_[pP][rR][oO][xX][yY]$`,
			unnamed: "The name of an argument is of letters, digits and _.",
		},
		"Spec.Apps": {
			names: appName.String(), reserved: "^(" + strings.Join(reserved, "|") + ")$|" + reservedEnd.String(),
			unnamed: "The name of an app is of lower-case letters, digits, - and _.",
		},
		"App.Project":             inContext,
		"Publish.Inputs":          inContext,
		"Publish.Properties":      {also: plain, names: property.String(), unnamed: "That is not a name of an MSBuild property."},
		"Publish.Secrets":         secrets,
		"Tests.Projects":          inContext,
		"NuGet.CA":                inContext,
		"Tests.Secrets":           secrets,
		"NuGet.Secrets":           secrets,
		"Feed.Name":               {pattern: feedName.String(), says: "The key of a source is of letters, digits, '.', '_' and '-'.", also: &node{Type: "boolean"}},
		"Feed.Source":             {pattern: `^(https?://[^@/?#]*([/?#].*)?)?$`, says: "A source is a URL, without credentials; a folder belongs into nuget.config.", also: nothing},
		"Image.Workdir":           {pattern: `^(/.*)?$`, says: inImage.says, also: nothing},
		"Image.Env":               variables,
		"Image.Ports":             {pattern: port.String(), says: "A port is a number, or a number and /tcp or /udp.", also: &node{Type: "integer", Minimum: new(0), Maximum: new(99999)}},
		"Image.Volumes":           inImage,
		"Healthcheck.Interval":    duration,
		"Healthcheck.Timeout":     duration,
		"Healthcheck.StartPeriod": duration,
		"File.Context":            {pattern: optional(contextName), says: "The name of a context is of lower-case letters, digits, - and _.", also: plain},
		"File.From":               inContext,
		"File.To":                 inImage,
		"File.Mode":               {pattern: optional(fileMode), says: "A mode is an octal number such as 0644.", also: integers},
		"File.Owner":              {pattern: optional(owner), says: "An owner is a number, two as in 1654:1654, or app.", also: integers},
	}
)

// shapes are what validate says of keys that stand beside each other, and what an editor offers to write.
var shapes = map[string]func(n *node){
	"SDK":  func(n *node) { n.exclude("image", "version", "sdk.image and sdk.version exclude each other") },
	"Base": func(n *node) { n.exclude("image", "family", "base.image and base.family exclude each other") },
	"NuGet": func(n *node) {
		n.exclude("ca", "ca-secret", "nuget.ca and nuget.ca-secret exclude each other")
		n.AllOf = append(n.AllOf, &node{
			If:   &node{Required: []string{"config-secret"}, Properties: map[string]*node{"config-secret": present}},
			Then: &node{Properties: map[string]*node{"feeds": {Items: &node{Type: "null", ErrorMessage: "nuget.config-secret and nuget.feeds exclude each other"}, DoNotSuggest: true}}},
		})
		n.Properties["feeds"].DefaultSnippets = []snippet{
			{"feed of nuget.config, with a token", "Credentials for a source that a nuget.config of the repository has.", "array",
				`{"name": "${1:github}", "password-secret": "${2:feed-token}"}`},
			{"feed by its URL", "A source that no nuget.config has.", "array",
				`{"name": "${1:company}", "source": "${2:https://feed.example.com/v3/index.json}"}`},
		}
	},
	"Publish": func(n *node) {
		own := map[string]*node{}
		for name, key := range owned {
			says := "crosshull sets this property itself."
			if key != "" {
				says = "crosshull sets this property: use " + key + "."
			}
			own[name] = &node{Type: "null", ErrorMessage: says, DoNotSuggest: true}
		}
		n.Properties["properties"].Properties = own
	},
	"Tests": func(n *node) {
		n.If = &node{Required: []string{"gate"}, Properties: map[string]*node{"gate": {Const: true}}}
		n.Then = &node{Required: []string{"projects"}, Properties: map[string]*node{"projects": {Type: "array", MinItems: 1, DoNotSuggest: true}}}
	},
	"Feed": func(n *node) {
		n.Type, n.Required = "object", []string{"name"} // a feed is nothing without a name
		n.If = &node{Not: &node{Required: []string{"source"}}}
		n.Then = &node{Required: []string{"password-secret"}}
	},
	"App": func(n *node) {
		n.Properties["files"].DefaultSnippets = []snippet{
			{"file of the context", "A file or folder, copied into the image.", "array",
				`{"from": "${1:deploy/start.sh}", "to": "${2:/usr/local/bin/start.sh}", "mode": "\"${3:0755}\""}`},
			{"folder to write to", "An empty folder that the user of the image can write to.", "array",
				`{"to": "${1:/data}"}`},
		}
	},
	"File": func(n *node) { n.Type, n.Required = "object", []string{"to"} },
	"Healthcheck": func(n *node) {
		n.Properties["test"].MinItems = 1
		n.DefaultSnippets = []snippet{
			{"healthcheck by a command", "The app itself says how it is.", "object",
				`{"test": ["CMD", "dotnet", "${1:app.dll}", "${2:check}"], "interval": "${3:30s}", "timeout": "${4:5s}", "retries": "${5:3}"}`},
		}
	},
	"Spec": func(n *node) {
		n.Properties["apps"].DefaultSnippets = []snippet{
			{"app", "An app and its image, a target of its name.", "object", `{"${1:web}": {"project": "${2:src/Web}"}}`},
		}
	},
}

// anArgument is somewhere in a text that has one.
const anArgument = `\$\{`

// present is a value that is there, whatever the user's build arguments are.
var present = &node{Type: []string{"string", "number", "boolean"}, Pattern: `^[^$]+$`}

// exclude lets at most one of two keys have a value.
func (n *node) exclude(one, other, says string) {
	n.AllOf = append(n.AllOf, &node{
		If:   &node{Required: []string{one}, Properties: map[string]*node{one: present}},
		Then: &node{Properties: map[string]*node{other: {Type: []string{"string", "null"}, Pattern: `^$|\$`, ErrorMessage: says, DoNotSuggest: true}}},
	})
}

// optional gives a pattern that matches nothing at all too.
func optional(re *regexp.Regexp) string { return "^$|" + re.String() }

// modes says what the values of publish.mode mean.
var modes = map[string]string{
	"portable":       "Compiled once for all platforms, started by dotnet: the base brings the runtime.",
	"apphost":        "Compiled once, with a launcher for each platform: the base brings the runtime.",
	"self-contained": "Published for each platform, with the runtime.",
	"single-file":    "Published for each platform, into one file.",
	"ready-to-run":   "Published for each platform, compiled ahead of time beside IL: starts faster, and is larger.",
	"trimmed":        "Self-contained, without the code that the app does not reach.",
	"aot":            "Native code for each platform, without a runtime; needs an SDK image that has a linker.",
}
