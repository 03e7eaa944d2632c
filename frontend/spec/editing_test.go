package spec

import "reflect"

// editing is what only editors need to know about sections, and what [shape] says about keys that are needed.
var editing = map[string]func(n *schemaNode){
	"NuGet": func(n *schemaNode) {
		n.Properties["feeds"].DefaultSnippets = []snippet{
			{"feed of nuget.config, with a token", "Credentials for a source that a nuget.config of the repository has.",
				"array",
				`{"name": "${1:github}", "password-secret": "${2:feed-token}"}`},
			{"feed by its URL", "A source that no nuget.config has.", "array",
				`{"name": "${1:company}", "source": "${2:https://feed.example.com/v3/index.json}"}`},
		}
	},
	"Publish": func(n *schemaNode) {
		own := map[string]*schemaNode{}
		for name, key := range owned {
			says := "crosshull sets this property itself."
			if key != "" {
				says = "crosshull sets this property: use " + key + "."
			}
			own[name] = &schemaNode{Type: "null", ErrorMessage: says, DoNotSuggest: true}
		}
		n.Properties["properties"].Properties = own
	},
	"Tests": func(n *schemaNode) {
		n.If = &schemaNode{Required: []string{"gate"}, Properties: map[string]*schemaNode{"gate": {Const: true}}}
		n.Then = &schemaNode{Required: []string{"projects"},
			Properties: map[string]*schemaNode{"projects": {Type: "array", MinItems: 1, DoNotSuggest: true}}}
	},
	"Feed": func(n *schemaNode) {
		n.Type, n.Required = "object", []string{"name"} // a feed needs a name
		n.If = &schemaNode{Not: &schemaNode{Required: []string{"source"}}}
		n.Then = &schemaNode{Required: []string{"password-secret"}}
	},
	"App": func(n *schemaNode) {
		n.Properties["files"].DefaultSnippets = []snippet{
			{"file of the context", "A file or folder, copied into the image.", "array",
				`{"from": "${1:deploy/start.sh}", "to": "${2:/usr/local/bin/start.sh}", "mode": "\"${3:0755}\""}`},
			{"folder to write to", "An empty folder that the user of the image can write to.", "array",
				`{"to": "${1:/data}"}`},
			{"symbolic link", "A link to something in the image.", "array",
				`{"link": "${1:/usr/bin/app}", "to": "${2:/app/app}"}`},
			{"remove files", "Files of the app or of the base that the image must not have.", "array",
				`{"remove": "${1:/app/*.pdb}"}`},
			{"file from an address", "A file that the build downloads; without a checksum, an error says which.", "array",
				`{"from": "${1:https://example.com/tool.tar.gz}", "to": "${2:/opt/tool}"}`},
		}
	},
	"File": func(n *schemaNode) {
		n.Type = "object"
		n.AnyOf = []*schemaNode{{Required: []string{"to"}}, {Required: []string{"remove"}}, {Required: []string{"change"}}}
	},
	"Command": func(n *schemaNode) { n.Type, n.Required = "object", []string{"run"} },
	"Tool": func(n *schemaNode) {
		n.Type, n.Required = "object", []string{"image", "paths"}
		n.Properties["paths"].Type, n.Properties["paths"].MinItems = "array", 1
	},
	"Packages": func(n *schemaNode) {
		some := &schemaNode{Type: "object", MinProperties: 1, DoNotSuggest: true}
		n.If = &schemaNode{Required: []string{"keys"}, Properties: map[string]*schemaNode{"keys": some}}
		n.Then = &schemaNode{Required: []string{"sources"}, Properties: map[string]*schemaNode{"sources": some}}
	},
	"User":  func(n *schemaNode) { n.Type, n.Required = "object", []string{"name", "uid"} },
	"Group": func(n *schemaNode) { n.Type, n.Required = "object", []string{"name", "gid"} },
	"Image": func(n *schemaNode) {
		n.Properties["users"].DefaultSnippets = []snippet{
			{"user", "A user with a group and a home folder of its own.", "array", `{"name": "${1:shop}", "uid": "${2:10001}"}`},
		}
	},
	"Also": func(n *schemaNode) { n.Type, n.Required = "object", []string{"project", "to"} },
	"Healthcheck": func(n *schemaNode) {
		n.DefaultSnippets = []snippet{
			{"healthcheck by a command", "The app itself says how it is.", "object",
				`{"test": ["CMD", "dotnet", "${1:app.dll}", "${2:check}"], "interval": "${3:30s}", "timeout": "${4:5s}", ` +
					`"retries": "${5:3}"}`},
		}
	},
	"Spec": func(n *schemaNode) {
		n.Properties["apps"].DefaultSnippets = []snippet{
			{"app", "An app and its image, a target of its name.", "object", `{"${1:web}": {"project": "${2:src/Web}"}}`},
		}
	},
}

// anArgument matches a text with a build argument in it.
const anArgument = `\$\{`

// mergeKey is the beginning of the pattern for names.
const mergeKey = "^<<$|"

// present matches a value that exists, whatever the user's build arguments are.
var present = &schemaNode{Type: []string{"string", "number", "boolean"}, Pattern: `^[^$]+$`}

// exclude allows a value for at most one of two keys of a section.
func (n *schemaNode) exclude(t reflect.Type, e exclusion) {
	one, other := present, &schemaNode{Type: []string{"string", "null"}, Pattern: `^$|\$`, ErrorMessage: e.says,
		DoNotSuggest: true}
	if kindOf(t, e.one) == reflect.Map {
		one = &schemaNode{Type: "object", MinProperties: 1}
	}
	if kindOf(t, e.other) == reflect.Slice {
		other = &schemaNode{Items: &schemaNode{Type: "null", ErrorMessage: e.says}, DoNotSuggest: true}
	}
	n.AllOf = append(n.AllOf, &schemaNode{
		If:   &schemaNode{Required: []string{e.one}, Properties: map[string]*schemaNode{e.one: one}},
		Then: &schemaNode{Properties: map[string]*schemaNode{e.other: other}},
	})
}

func kindOf(t reflect.Type, key string) reflect.Kind {
	return t.FieldByIndex(sections[t].fields[key].index).Type.Kind()
}

// modes explains the values of publish.mode.
var modes = map[string]string{
	"portable":       "Compiled once for all platforms, started by dotnet: the base brings the runtime.",
	"apphost":        "Compiled once, with a launcher for each platform: the base brings the runtime.",
	"self-contained": "Published for each platform, with the runtime.",
	"single-file":    "Published for each platform, into one file.",
	"ready-to-run":   "Published for each platform, compiled ahead of time beside IL: starts faster, and is larger.",
	"trimmed":        "Self-contained, without the code that the app does not reach.",
	"aot":            "Native code for each platform, without a runtime; needs an SDK image that has a linker.",
}
