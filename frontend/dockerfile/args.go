package dockerfile

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/crosshull/crosshull/frontend/plan"
	"github.com/crosshull/crosshull/frontend/spec"
)

// Build arguments. A plan has the values of the arguments in one build. The spec knows where they stand in its values
// (spec.Spec.Parts). If a planned value is still the one of the spec, the Dockerfile keeps its arguments. Some values
// stay as they are in the plan, and a comment names them: those that decided something in the plan, and those that no
// instruction expands.

// platformArg matches the arguments whose value is that of a platform, in a Dockerfile as in a spec.
var platformArg = regexp.MustCompile(`^(BUILD|TARGET)(PLATFORM|OS|OSVERSION|ARCH|VARIANT)$`)

// takes tells whether the Dockerfile can take an argument. It cannot take an argument of the platform with a default,
// because the default would hide the value that steps need.
func (pg *page) takes(name string) bool {
	arg, ok := pg.declared[name]
	return ok && unheld(arg.Default) == "" && (arg.Default == "" || !platformArg.MatchString(name))
}

// path is the path of a key of an app in its spec: the app's own, else the one that all apps have in common.
func (a *app) path(s *spec.Spec, key string) string {
	if own := a.Request.Target.Prefix + key; s.Has(own) {
		return own
	}
	return key
}

// value is the planned value of a key, with the build arguments that the spec has in it.
func (a *app) value(s *spec.Spec, key, planned string) text {
	path := a.path(s, key)
	t := text(s.Parts(path))
	if t.String() != planned {
		return plain(planned)
	}
	for _, part := range t {
		if part.Arg != "" && !a.takes(part.Arg) {
			return plain(planned)
		}
	}
	if !t.hasArgs() {
		return plain(planned)
	}
	a.taken[path] = true
	for _, part := range t {
		if part.Arg != "" {
			a.used[part.Arg] = true
		}
	}
	return t
}

// buildValue is [app.value] for a command. It gives arguments another name, because MSBuild takes a variable for a
// property, and a variable may mean something to the shell.
func (a *app) buildValue(s *spec.Spec, key, planned string) text {
	t := slices.Clone(a.value(s, key, planned))
	for i, part := range t {
		if part.Arg != "" {
			a.inBuild[part.Arg] = true
			t[i].Arg = a.buildName(part.Arg)
		}
	}
	return t
}

// buildName is the name of an argument in steps that run commands.
func (pg *page) buildName(arg string) string {
	name := "BUILD_ARG_" + arg
	for {
		if _, taken := pg.declared[name]; !taken {
			return name
		}
		name += "_"
	}
}

// arguments declares the arguments that the file takes, and writes which values it fixes.
func (w *writer) arguments(apps []*plan.Plan) {
	names := slices.Sorted(maps.Keys(w.used))
	if len(names) > 0 {
		w.comment("It takes the build arguments %s.", oneLine(strings.Join(names, ", ")))
	}
	if paths := w.decided(apps); len(paths) > 0 {
		w.comment("Written for the platforms and build arguments of one call: %s.", oneLine(strings.Join(paths, ", ")))
	}
	for _, name := range names {
		if platformArg.MatchString(name) {
			continue
		}
		arg := w.declared[name]
		// BuildKit takes the comment for the description of the argument, unless it looks like a directive for its linter.
		about := oneLine(arg.Description)
		if about != "" && !strings.HasPrefix(strings.TrimSpace(about), "=") {
			w.comment("%s %s", name, about)
		}
		w.line("ARG %s", name+"="+quoted(plain(arg.Default)))
	}
	for i, name := range slices.Sorted(maps.Keys(w.inBuild)) {
		if i == 0 {
			w.comment("The same for commands, where MSBuild would take a variable for the property of its name.")
		}
		w.line("ARG %s", w.buildName(name)+"="+quoted(text{{Arg: name}}))
	}
}

// decided returns the paths of values that have arguments in the spec but not in the Dockerfile.
func (w *writer) decided(apps []*plan.Plan) []string {
	var paths []string
	for _, p := range apps {
		s := p.Targets[0].Spec
		for _, path := range s.WithArgs() {
			own, isOwn := strings.CutPrefix(path, p.Request.Target.Prefix)
			if strings.HasPrefix(path, "apps.") && (!isOwn || p.Request.Target.Prefix == "") {
				continue // it belongs to another app
			}
			if !isOwn && s.Has(p.Request.Target.Prefix+listOf(own)) {
				continue // the app has its own value
			}
			if !w.taken[path] && !slices.Contains(paths, path) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

var inList = regexp.MustCompile(`\.[0-9]+(\.|$)`)

// listOf is the path of the list that a path leads into. Without a list, it is the path itself.
func listOf(path string) string {
	if loc := inList.FindStringIndex(path); loc != nil {
		return path[:loc[0]]
	}
	return path
}
