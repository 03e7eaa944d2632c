package spec

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Variables that a command of publish.after can use. [VarPublishDir] is the folder of what was published. The others
// differ between platforms.
const (
	VarRID        = "RID"
	VarPublishDir = "PUBLISH_DIR"
)

// platformVars are the variables of a command that differ between platforms, in order.
var platformVars = append([]string{VarRID}, slices.Sorted(maps.Keys(targetArgs))...)

// Expands tells whether a shell expands a variable in a line: $NAME or ${NAME…}.
func Expands(line, name string) bool {
	for _, before := range []string{"$", "${"} {
		for rest := line; ; {
			_, after, ok := strings.Cut(rest, before+name)
			if !ok {
				break
			}
			if after == "" || !isWord(after[0]) {
				return true
			}
			rest = after
		}
	}
	return false
}

// Names tells whether a line has a name as a whole word. No line has an empty name, which args can have by mistake.
func Names(line, name string) bool {
	for from := 0; name != ""; {
		i := strings.Index(line[from:], name)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(name)
		if (i == 0 || !isWord(line[i-1])) && (end == len(line) || !isWord(line[end])) {
			return true
		}
		from = end
	}
	return false
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// PlatformVars are the variables that a command uses and that differ between platforms. A variable counts as used if
// the line has it as $NAME or ${NAME}. What a script does that the line runs cannot be seen, so such a line has to pass
// it on.
func (c Command) PlatformVars() []string {
	return slices.DeleteFunc(slices.Clone(platformVars), func(name string) bool { return !Expands(c.Run, name) })
}

// ArgsOf are the build arguments that a command names, with their values. They are all that its environment has, so
// that another argument does not run it again. An argument with the value of a platform is not among them: see
// [Command.PlatformVars].
func (s *Spec) ArgsOf(c Command) map[string]string {
	values := map[string]string{}
	for name := range s.Args {
		if Names(c.Run, name) && (s.args[name] != "" || !targetArgs[name]) {
			values[name] = s.args[name]
		}
	}
	return values
}

// noRun is the mistake of a command without a line.
const noRun = "a command needs the key run: a line for the shell"

// commands checks what rules of single values cannot see: a line alone is not empty, and commands that run before there
// is a platform do not use one.
func (d *decoder) commands() {
	all := d.byPrefix()
	// each visits commands with their paths. It leaves out those that an app inherits.
	each := func(section string, commands []Command, visit func(path string, c Command)) {
		for i, c := range commands {
			if path := fmt.Sprintf("%s.%d", section, i); d.into.Has(path) {
				if c.Run == "" {
					d.fail(d.into.Range(path), noRun)
				}
				visit(path, c)
			}
		}
	}
	for _, prefix := range slices.Sorted(maps.Keys(all)) {
		app := all[prefix]
		each(prefix+"publish.after", app.Publish.After, func(string, Command) {})
		each(prefix+"publish.before", app.Publish.Before, func(path string, c Command) {
			for _, name := range append(c.PlatformVars(), VarPublishDir) {
				_, known := d.into.Args[name] // an argument of the spec with this name, and with a value
				if known = known && (d.args[name] != "" || !targetArgs[name]); !known && Expands(c.Run, name) {
					d.fail(d.into.Range(path), fmt.Sprintf("%s uses $%s, but it runs once for all platforms, before anything is "+
						"published: a command of publish.after can use it", path, name))
				}
			}
		})
	}
}
