package scaffold

import (
	"bytes"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// Dockerfile is a Dockerfile of the repository, and what a spec needs to replace it.
type Dockerfile struct {
	Path  string
	Needs []Need
	// Err says why it cannot be read.
	Err error
}

// Need is an instruction of a Dockerfile that does more than build the app and start it.
type Need struct {
	Line int
	Text string
	// Key is the key of the spec for it, such as "image.env". Empty: there is none.
	Key string
	// Advice says what to write, or what to do if there is no key.
	Advice string
}

// IsDockerfile tells whether a file has a name that Dockerfiles have.
func IsDockerfile(name string) bool {
	base := path.Base(name)
	return base == "Dockerfile" || strings.HasPrefix(base, "Dockerfile.") && path.Ext(base) != ".dockerignore" ||
		path.Ext(base) == ".Dockerfile"
}

// ReadDockerfile finds what a spec needs to replace a Dockerfile. From the final stage, and the stages that it is made
// from, it takes what the image has beside the app. From the other stages it takes what is not a plain build.
func ReadDockerfile(name string, dt []byte) Dockerfile {
	d := Dockerfile{Path: name}
	parsed, err := parser.Parse(bytes.NewReader(dt))
	if err != nil {
		d.Err = err
		return d
	}
	if len(parsed.AST.Children) > maxInstructions {
		d.Err = fmt.Errorf("it has more than %d instructions", maxInstructions)
		return d
	}
	list, arguments, err := instructions.Parse(parsed.AST, nil)
	if err != nil || len(list) == 0 {
		d.Err = err
		return d
	}
	all := readStages(list, arguments, parsed.EscapeToken)
	for _, s := range all.all {
		d.add(s.Location, "FROM "+s.BaseName, all.ofBase(s))
		s.dir = "/"
		if s.base != nil {
			s.dir, s.published = s.base.dir, s.base.published
		}
		for _, cmd := range s.Commands {
			d.add(cmd.Location(), text(cmd), all.needs(s, cmd))
		}
	}
	return d
}

// add adds what an instruction needs, each need once.
func (d *Dockerfile) add(place []parser.Range, text string, needs []Need) {
	seen := map[Need]bool{}
	for _, n := range needs {
		if seen[n] {
			continue
		}
		seen[n] = true
		if n.Text = text; len(place) > 0 {
			n.Line = place[0].Start.Line
		}
		d.Needs = append(d.Needs, n)
	}
}

// needs are those of an instruction. A stage that builds the app, and becomes the image itself, is read as one of each:
// its commands are those of a build, and its configuration is that of the image.
func (all *stages) needs(s *stage, cmd instructions.Command) []Need {
	image := s.final && !s.builds
	switch c := cmd.(type) {
	case *instructions.WorkdirCommand:
		s.dir = c.Path
	case *instructions.RunCommand:
		if image {
			return all.inShell(s, c, all.ofTarget)
		}
		return all.inShell(s, c, all.ofBuild)
	case *instructions.CopyCommand:
		return all.ofCopy(c, image)
	case *instructions.AddCommand:
		return all.ofAdd(c, image)
	}
	if s.final {
		return all.ofImage(s, cmd)
	}
	return nil
}

// ofCopy is what a spec needs for COPY.
func (all *stages) ofCopy(c *instructions.CopyCommand, image bool) []Need {
	from := all.imageOf(c.From)
	switch {
	case image && c.From == "":
		return all.ofContext()
	case image && from != "":
		return []Need{{Key: "files", Advice: "with image: " + from}}
	case from != "":
		advice := "{image: " + scalar(from) + ", paths: " + list(c.SourcePaths) + "}, or sdk.image if MSBuild runs it"
		return []Need{{Key: "publish.tools", Advice: advice}}
	case image && slices.ContainsFunc(c.SourcePaths, all.isNoOutput):
		const advice = "from the context, if it is there or publish.before makes it; " +
			"else let publish.after put it into $PUBLISH_DIR"
		return []Need{{Key: "files", Advice: advice}}
	}
	return nil
}

// isNoOutput tells whether a path of a stage is surely not the published app.
func (all *stages) isNoOutput(source string) bool {
	source = resolve("/", source)
	return len(all.outputs) > 0 && !strings.Contains(source, "/bin/") && !strings.Contains(source, "$") &&
		!slices.ContainsFunc(all.outputs, func(output string) bool {
			return strings.Contains(output, "$") || isIn(output, source) || isIn(source, output)
		})
}

// isIn tells whether a path is in a folder, or is the folder.
func isIn(name, dir string) bool {
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}

// ofContext is what a spec needs to copy files of the context into the image.
func (all *stages) ofContext() []Need {
	if all.compiles {
		return []Need{{Key: "files"}}
	}
	return []Need{{Key: "files", Advice: "with project: none, as this Dockerfile compiles nothing"}}
}

var (
	gitAddress  = regexp.MustCompile(`^(?:git@|git://|ssh://)|^https?://[^#]+\.git(?:#|$)`)
	fileAddress = regexp.MustCompile(`^https?://`)
	archive     = regexp.MustCompile(`\.(?:tar(?:\.(?:gz|bz2|xz|zst))?|tgz|tbz2?|txz)$`)
)

// ofAdd is what a spec needs for ADD.
func (all *stages) ofAdd(c *instructions.AddCommand, image bool) []Need {
	has := func(what *regexp.Regexp) bool { return slices.ContainsFunc(c.SourcePaths, what.MatchString) }
	address := has(gitAddress) || has(fileAddress)
	unpack := has(archive) && !address
	if c.Unpack != nil {
		unpack = *c.Unpack
	}
	switch {
	case !image && address:
		return []Need{{Key: "publish.before", Advice: "a command that fetches it"}}
	case !image && unpack:
		return []Need{{Key: "publish.before", Advice: "a command that unpacks it"}}
	case !image:
		return nil
	case has(gitAddress):
		return []Need{{Key: "files", Advice: fromGit}}
	case address && unpack:
		return []Need{{Key: "files", Advice: fromURL}, {Key: "files", Advice: withUnpack}}
	case address:
		return []Need{{Key: "files", Advice: fromURL}}
	case unpack:
		return []Need{{Key: "files", Advice: withUnpack}}
	}
	return all.ofContext()
}

// inShell is what a spec needs for the commands of RUN.
func (all *stages) inShell(
	s *stage, c *instructions.RunCommand, of func(s *stage, dir string, c command) []Need,
) []Need {
	commands := commandsOf(c)
	others := len(commands) > 0 && !slices.ContainsFunc(commands, func(c command) bool { return c.program() == "dotnet" })
	var needs []Need
	for _, m := range instructions.GetMounts(c) {
		switch {
		case m.Type == instructions.MountTypeSecret && others:
			needs = append(needs, Need{Key: s.ownCommands() + "[].secrets"})
		case m.Type == instructions.MountTypeSSH && others:
			needs = append(needs, Need{Key: s.ownCommands() + "[].ssh"})
		case m.Type == instructions.MountTypeSecret:
			needs = append(needs, Need{Key: "nuget.secrets", Advice: "or publish.secrets, if the compiler needs it"})
		case m.Type == instructions.MountTypeSSH:
			needs = append(needs, Need{Key: "publish.ssh"})
		}
	}
	dir := s.dir
	for _, c := range commands {
		if c.program() == "cd" && len(c.words) > 1 {
			dir = resolve(dir, c.words[1])
		}
		if !slices.Contains(idle, c.program()) || len(c.writes) > 0 {
			needs = append(needs, of(s, dir, c)...)
		}
	}
	return needs
}

// idle are commands that change nothing, unless their output goes to a file.
var idle = []string{
	".", ":", "[", "break", "cat", "cd", "command", "continue", "date", "echo", "exit", "false", "grep", "id", "ls",
	"printenv", "printf", "pwd", "read", "return", "set", "sha256sum", "sha512sum", "shift", "sleep", "source", "test",
	"true", "type", "umask", "uname", "unset", "wait", "which", "whoami",
}

// text is an instruction as the file has it, or its name alone.
func text(cmd instructions.Command) string {
	if s, ok := cmd.(fmt.Stringer); ok {
		return s.String()
	}
	return cmd.Name()
}

// Limits on what is read of Dockerfiles, and written about them.
const (
	maxInstructions = 2000
	maxScript       = 16 << 10 // bytes, as the parser's stack grows with each bracket, by up to 4 kB
	maxDockerfiles  = 20
	maxNeeds        = 40 // of one
	maxText         = 60 // characters of an instruction
)

// dockerfiles writes what a spec needs to replace Dockerfiles.
func (w *writer) dockerfiles(all []Dockerfile) {
	for _, d := range all[:min(len(all), maxDockerfiles)] {
		name := oneLine(d.Path)
		switch {
		case d.Err != nil:
			w.line("# Crosshull does not use the file %s, and cannot read it: %s.", name, oneLine(d.Err.Error()))
		case len(d.Needs) == 0:
			w.line("# Crosshull does not use the file %s. This spec does all that the file does.", name)
		default:
			w.line("# Crosshull does not use the file %s. What this file does beyond a plain build, with the key for it:", name)
		}
		for _, n := range d.Needs[:min(len(d.Needs), maxNeeds)] {
			to := n.Key
			switch {
			case to == "":
				to = "no key: " + n.Advice
			case n.Advice != "":
				to += " (" + n.Advice + ")"
			}
			w.line("# - line %d: %s", n.Line, oneLine(short(n.Text)+" -> "+to))
		}
		w.more(len(d.Needs)-maxNeeds, "line", "")
		w.line("#")
	}
	w.more(len(all)-maxDockerfiles, "Dockerfile", "")
}

// short is the beginning of a text.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxText {
		return strings.TrimSpace(string(r[:maxText])) + "…"
	}
	return s
}
