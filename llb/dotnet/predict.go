package dotnet

import (
	"bytes"
	"encoding/xml"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Predict guesses what MSBuild will say about a project, as far as restore needs it. It returns nil unless the project
// files leave little doubt. The result has the app with its closure, and the base image if that is certain too. Use it
// only to start work early: the build itself follows MSBuild.
func Predict(p Project, files Files) *App {
	if p.Mode == nil && slices.ContainsFunc(slices.Collect(maps.Values(files)), modeProperty.Match) ||
		p.Mode != nil && *p.Mode != Portable {
		return nil // one restore for several runtime identifiers, which depend on the base image
	}
	root := predictProject(p.Path, files)
	if root == "" {
		return nil
	}
	app := &App{
		Path:      root,
		Closure:   []Node{{Path: root}},
		Container: Container{BaseImage: predictBase(p, files[root], files)},
	}
	for i := 0; i < len(app.Closure); i++ {
		name := app.Closure[i].Path
		references, plain := plainReferences(name, files[name])
		if !plain {
			return nil
		}
		for _, ref := range references {
			if _, ok := files[ref]; !ok {
				return nil
			}
			if !slices.ContainsFunc(app.Closure, func(n Node) bool { return n.Path == ref }) {
				app.Closure = append(app.Closure, Node{Path: ref})
			}
		}
	}
	folders := ancestors(ProjectPaths(app.Closure))
	for name, dt := range files {
		if !IsProject(name) && slices.Contains(folders, path.Dir(name)) {
			if references, plain := plainReferences(name, dt); !plain || len(references) > 0 {
				return nil
			}
		}
	}
	return app
}

// baseProperty finds what decides the base image, apart from the TargetFramework and the SDK that the project names.
var baseProperty = regexp.MustCompile(
	`<(?:TargetFrameworks|ContainerBaseImage|ContainerFamily|ContainerRuntimeIdentifiers?|RuntimeIdentifiers?|` +
		`FrameworkReference|InvariantGlobalization)\b`,
)

// predictBase returns the base image that the SDK infers for a portable app (dotnet/sdk, ComputeDotnetBaseImageAndTag),
// or nothing. root is the project file.
func predictBase(p Project, root []byte, files Files) string {
	if p.BaseImage != "" {
		return p.BaseImage
	}
	if len(p.Properties) > 0 {
		return ""
	}
	version := ""
	for _, dt := range files {
		if baseProperty.Match(dt) {
			return ""
		}
		for _, element := range frameworkElement.FindAll(dt, -1) {
			m := netFramework.FindSubmatch(element)
			if m == nil || version != "" && version != string(m[1]) {
				return ""
			}
			version = string(m[1])
		}
	}
	if version == "" {
		return ""
	}
	repository, tag := "runtime", version
	if webSDK.Match(root) {
		repository = "aspnet"
	}
	if p.Family != "" {
		tag += "-" + p.Family
		if strings.HasSuffix(p.Family, "-chiseled") {
			tag += "-extra"
		}
	}
	return microsoftImages + repository + ":" + tag
}

// modeProperty finds properties that may make a project use another mode than portable.
var modeProperty = regexp.MustCompile("<(?:" + strings.Join(ModeProperties(), "|") + ")>")

var (
	webSDK     = regexp.MustCompile(`<Project\s[^>]*Sdk="Microsoft\.NET\.Sdk\.Web"`)
	webProject = regexp.MustCompile(`<Project\s[^>]*Sdk="Microsoft\.NET\.Sdk\.(?:Web|Worker)"`)
	exeProject = regexp.MustCompile(`(?i)<OutputType>\s*Exe\s*</OutputType>`)
	anyTest    = regexp.MustCompile(`"(?:Microsoft\.NET\.Test\.Sdk|xunit\.v3|TUnit|MSTest)"|<IsTestProject>`)
)

// predictProject finds the only app that project can mean.
func predictProject(project string, files Files) string {
	if IsProject(project) {
		return project
	}
	if path.Ext(project) != "" {
		return ""
	}
	found := ""
	for name, dt := range files {
		if !IsProject(name) || project != "" && !strings.HasPrefix(name, project+"/") ||
			!webProject.Match(dt) && !exeProject.Match(dt) ||
			anyTest.Match(dt) {
			continue
		}
		if found != "" {
			return ""
		}
		found = name
	}
	return found
}

// plainReferences returns the projects that a file references, and whether these are all. They are, if the file imports
// nothing from elsewhere and its references have no conditions and no expressions.
func plainReferences(name string, dt []byte) (references []string, plain bool) {
	if bytes.Contains(dt, []byte("<Import")) {
		return nil, false
	}
	dec := xml.NewDecoder(bytes.NewReader(dt))
	dec.Strict = false
	conditions := 0 // how many of the open elements have a condition
	var open []bool
	for {
		tok, err := dec.Token()
		if err != nil {
			return references, len(open) == 0
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			has := slices.ContainsFunc(tok.Attr, func(a xml.Attr) bool { return a.Name.Local == "Condition" })
			open = append(open, has)
			if has {
				conditions++
			}
			if tok.Name.Local != "ProjectReference" {
				continue
			}
			for _, a := range tok.Attr {
				value := strings.ReplaceAll(a.Value, `\`, "/")
				switch {
				case conditions > 0 || a.Name.Local == "Remove" ||
					a.Name.Local == "Include" && (strings.ContainsAny(value, "$@%*?;") || path.IsAbs(value)):
					return nil, false
				case a.Name.Local == "Include":
					references = append(references, path.Join(path.Dir(name), value))
				}
			}
		case xml.EndElement:
			if len(open) == 0 {
				return nil, false
			}
			if open[len(open)-1] {
				conditions--
			}
			open = open[:len(open)-1]
		}
	}
}
