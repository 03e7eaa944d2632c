package scaffold

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// stages are the stages of a Dockerfile, with what later instructions need to know of earlier ones.
type stages struct {
	all   []*stage
	names map[string]*stage // in lower case
	// last is the last instruction of each kind in the image.
	last map[string]instructions.Command
	// copied are names of files that the image gets from the context.
	copied []string
	// compiles: a stage has the SDK, or runs it.
	compiles bool
	// What the instructions before the one that is read have done:
	projects map[string]bool // those that were published
	outputs  []string        // folders of builds
}

type stage struct {
	instructions.Stage
	base      *stage // the stage that it begins with; nil for an image
	image     string // the image that it begins with, or that its base does, with the defaults of arguments
	final     bool   // it is the image, or the image is made from it
	builds    bool   // it compiles the app
	lex       *shell.Lex
	variables variables                         // with a value in the Dockerfile
	arguments []string                          // names of ARG
	uses      map[instructions.Command][]string // the variables of each instruction
	programs  map[string]bool                   // what it runs, and stages that begin with it or that it begins with
	// What holds at the instruction that is read:
	dir       string // the work directory
	published bool   // the app is published
}

// variables are those that BuildKit expands. A Dockerfile can multiply a value with each line, so there are limits.
type variables map[string]string

const (
	maxVariables = 1000
	maxValue     = 200  // characters
	maxPath      = 4096 // characters, as Linux has it
)

func (v variables) set(name, value string) {
	delete(v, name)
	if len(v) < maxVariables && len(value) <= maxValue {
		v[name] = value
	}
}

// Get is for [shell.EnvGetter].
func (v variables) Get(name string) (string, bool) {
	value, ok := v[name]
	return value, ok
}

// Keys is for [shell.EnvGetter].
func (v variables) Keys() []string { return slices.Sorted(maps.Keys(v)) }

// platform are arguments that BuildKit sets. Their values decide nothing here, but the name of a stage can have one.
var platform = variables{"TARGETOS": "linux", "TARGETARCH": "amd64", "BUILDOS": "linux", "BUILDARCH": "amd64"}

func readStages(parsed []instructions.Stage, arguments []instructions.ArgCommand, escape rune) *stages {
	all := &stages{names: map[string]*stage{}, last: map[string]instructions.Command{}, projects: map[string]bool{}}
	lex := shell.NewLex(escape)
	global := maps.Clone(platform)
	for _, a := range arguments {
		for _, kv := range a.Args {
			if kv.Value != nil {
				value, _, _ := lex.ProcessWord(*kv.Value, global)
				global.set(kv.Key, value)
			}
		}
	}
	for _, p := range parsed {
		all.add(p, lex, global)
	}
	for s := all.all[len(all.all)-1]; s != nil; s = s.base {
		s.final = true
	}
	for _, s := range all.all {
		all.compiles = all.compiles || s.builds || sdkImage.MatchString(s.image)
		if s.final {
			all.addImage(s)
		}
	}
	return all
}

// add adds a stage, and expands its instructions.
func (all *stages) add(parsed instructions.Stage, lex *shell.Lex, global variables) {
	s := &stage{Stage: parsed, dir: "/", lex: lex, variables: variables{}, programs: map[string]bool{},
		uses: map[instructions.Command][]string{}}
	lex.SkipUnsetEnv = false
	s.image, _, _ = lex.ProcessWord(s.BaseName, global)
	lex.SkipUnsetEnv = true
	if s.base = all.named(s.image); s.base != nil {
		s.image, s.dir, s.programs = s.base.image, s.base.dir, s.base.programs
		s.variables, s.arguments = maps.Clone(s.base.variables), slices.Clone(s.base.arguments)
	}
	for _, cmd := range s.Commands {
		s.expand(cmd)
		switch c := cmd.(type) {
		case *instructions.ArgCommand:
			for _, kv := range c.Args {
				s.arguments = append(s.arguments, kv.Key)
				value, ok := global[kv.Key]
				if kv.Value != nil {
					value, ok = *kv.Value, true
				}
				if _, set := platform[kv.Key]; ok && !set {
					s.variables.set(kv.Key, value)
				}
			}
		case *instructions.EnvCommand:
			for _, kv := range c.Env {
				s.variables.set(kv.Key, kv.Value)
			}
		case *instructions.WorkdirCommand:
			s.dir = resolve(s.dir, c.Path)
			c.Path = s.dir
		case *instructions.RunCommand:
			for _, c := range commandsOf(c) {
				s.programs[c.program()] = true
				s.builds = s.builds || c.program() == "dotnet" && len(c.words) > 1 &&
					slices.Contains([]string{"publish", "build", "msbuild"}, c.words[1])
			}
		}
	}
	all.all = append(all.all, s)
	if s.Name != "" {
		all.names[strings.ToLower(s.Name)] = s
	}
}

// resolve makes a path absolute. One that begins with a variable is taken as it is.
func resolve(dir, name string) string {
	if path.IsAbs(name) || strings.HasPrefix(name, "$") {
		return path.Clean(name)
	}
	if len(dir) > maxPath {
		return dir
	}
	return path.Join(dir, name)
}

// expand expands variables of an instruction that have a value in the Dockerfile, and takes quotes off.
func (s *stage) expand(cmd instructions.Command) {
	uses := map[string]bool{}
	word := func(word string) (string, error) {
		result, err := s.lex.ProcessWordWithMatches(word, s.variables)
		for _, names := range []map[string]struct{}{result.Matched, result.Unmatched} {
			for name := range names {
				uses[name] = true
			}
		}
		return result.Result, err
	}
	switch c := cmd.(type) {
	case instructions.SupportsSingleWordExpansion:
		_ = c.Expand(word) // a mistake leaves words as they are
	case *instructions.ExposeCommand:
		for _, port := range c.Ports {
			_, _ = word(port)
		}
	}
	s.uses[cmd] = slices.Sorted(maps.Keys(uses))
}

// value is a word with the variables that have a value in the Dockerfile.
func (s *stage) value(word string) string {
	if value, _, err := s.lex.ProcessWord(word, s.variables); err == nil {
		return value
	}
	return word
}

// kind is the name of an instruction, such as user.
func kind(cmd instructions.Command) string { return strings.ToLower(cmd.Name()) }

// addImage adds the instructions of a stage to those of the image.
func (all *stages) addImage(s *stage) {
	ownCmd := false
	for _, cmd := range s.Commands {
		switch c := cmd.(type) {
		case *instructions.CmdCommand:
			ownCmd = true
		case *instructions.EntrypointCommand: // drops the CMD of a base
			if !ownCmd {
				delete(all.last, "cmd")
			}
		case *instructions.CopyCommand:
			if c.From == "" {
				for _, source := range c.SourcePaths {
					all.copied = append(all.copied, path.Base(source))
				}
			}
		}
		all.last[kind(cmd)] = cmd
	}
}

// named is the last stage with a name; nil for none.
func (all *stages) named(name string) *stage { return all.names[strings.ToLower(name)] }

// imageOf is the image that COPY --from copies from; empty, if it is a stage that does something.
func (all *stages) imageOf(from string) string {
	if _, err := strconv.Atoi(from); err == nil || from == "" {
		return ""
	}
	s := all.named(from)
	if s == nil {
		return from
	}
	if len(s.Commands) > 0 || s.base != nil || s.image == "scratch" {
		return ""
	}
	return s.image
}
