package dockerfile

import (
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	lex "github.com/moby/buildkit/frontend/dockerfile/shell"
	"github.com/moby/patternmatcher"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// hostile are values with a meaning for one of the readers on the way. None of them may become RUN echo PWNED.
var hostile = []string{
	"", " ", "  two  words  ", "\ttab\there\t", "-", "--from=evil", "-rf", "@file", "#comment", " # no comment", "[",
	"]", "[]",
	`["a","b"]`, "[1]", "a]b[c", "*", "**/*", "a?c", "[ab]", "!not", "a/../b", "./a", "~", "~root", "a:b", "http://evil/x",
	`'`, `''`, `it's`, `"`, `""`, `a "quoted" word`, `"; RUN echo PWNED`, `'; echo PWNED; '`, `a";X="b`, "`id`",
	"$(echo PWNED)",
	"$X", "${X}", "${X:-default}", "${X", "$", "$$", "a$", "$1", "${X/a/b}", `\$X`, `\`, `\\`, `a\`, `a\\`, `\n`, `\ `,
	`a \`, `a\ `,
	"<<EOF", "a <<EOF b", `<<"EOF"`, "<<-EOF", "<", "<<", "0<<A", "EOF", "a;b", "a,b", "a=b", "=", "==b", "a|b",
	"a&&b", "(a)", "{a,b}",
	"%", "%25", "%3B", "@(Compile)", "$(Path)", "%(Full)", "\n", "a\nRUN echo PWNED", "a\r\nRUN echo PWNED",
	"a\rRUN echo PWNED",
	"a\\\nRUN echo PWNED", "\u2028RUN echo PWNED", "\u2029x", "\u0085x", "\vx", "\fx", "\x1b[31m", "\x00", "\x7f",
	"\ufeffx", "x\ufeff",
	"\xff", "a\xc3", "é", "à la carte", "日本語", "\u00a0", "👍", "AS evil", "NONE", "scratch",
	strings.Repeat("long ", 20_000),
}

// evil gives every variable a value, so that an unwanted expansion shows.
type evil struct{}

func (evil) Get(name string) (string, bool) { return "VALUE OF " + name, true }
func (evil) Keys() []string                 { return nil }

// expand expands a word as BuildKit does, in an environment with variables.
func expand(env lex.EnvGetter) instructions.SingleWordExpander {
	return func(w string) (string, error) {
		out, _, err := lex.NewLex('\\').ProcessWord(w, env)
		return out, err
	}
}

// read returns the instructions of a Dockerfile after words are expanded.
func read(text string, env lex.EnvGetter) ([]instructions.Stage, []instructions.ArgCommand, error) {
	result, err := parser.Parse(strings.NewReader(text))
	if err != nil {
		return nil, nil, err
	}
	stages, args, err := instructions.Parse(result.AST, nil)
	if err != nil {
		return nil, nil, err
	}
	for _, s := range stages {
		for _, c := range s.Commands {
			if ex, ok := c.(instructions.SupportsSingleWordExpansion); ok {
				if err := ex.Expand(expand(env)); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	return stages, args, nil
}

// one reads an instruction that follows one that ends a stage, and returns it.
func one(instruction string) (instructions.Command, error) {
	stages, _, err := read("FROM scratch\n"+instruction+"\nUSER last\n", evil{})
	if err != nil {
		return nil, err
	}
	if len(stages) != 1 || len(stages[0].Commands) != 2 {
		return nil, fmt.Errorf("%d stages, %d instructions", len(stages), len(stages[0].Commands))
	}
	if u, ok := stages[0].Commands[1].(*instructions.UserCommand); !ok || u.User != "last" {
		return nil, fmt.Errorf("the instruction after it is %v", stages[0].Commands[1])
	}
	return stages[0].Commands[0], nil
}

// same checks that an instruction has a value.
func same(got []string, want ...string) error {
	if !slices.Equal(got, want) {
		return fmt.Errorf("it has %q, want %q", got, want)
	}
	return nil
}

// A language is a function of escape.go.
type language struct {
	name string
	// unheld is the function that finds values which the language cannot hold; nil: it can hold all.
	unheld func(string) string
	// check tells whether a value arrives unchanged.
	check func(v string) error
}

var languages = []language{
	{"word", unheld, checkWord},
	{"quoted", unheld, checkQuoted},
	{"pair", unheldKey, checkPair},
	{"list", func(s string) string { return unheldList([]string{s, s}) }, checkList},
	{"copyLine", unheld, checkCopy},
	{"flag", unheldFlag, checkFlag},
	{"mount", unheldFlag, checkMount},
	{"shell", unheld, checkShell},
	{"shellText", unheld, checkShellText},
	{"shellPath", unheld, checkShellPath},
	{"property", func(s string) string { return unheld(property(s)) }, checkProperty},
	{"heredoc", func(string) string { return "" }, checkHeredoc},
	{"literal", unheld, checkLiteral},
	{"pattern", unheld, checkPattern},
	{"comment", func(string) string { return "" }, checkComment},
}

// Every value arrives unchanged, in every language that can hold it.
func TestLanguages(t *testing.T) {
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			for _, v := range hostile {
				if l.unheld(v) != "" {
					continue
				}
				if err := l.check(v); err != nil {
					t.Errorf("%.100q: %v", v, err)
				}
			}
		})
	}
}

func fuzz(f *testing.F, name string) {
	for _, v := range hostile {
		if len(v) < 1000 { // long ones slow it down
			f.Add(v)
		}
	}
	l := languages[slices.IndexFunc(languages, func(l language) bool { return l.name == name })]
	f.Fuzz(func(t *testing.T, v string) {
		if l.unheld(v) != "" {
			return
		}
		if err := l.check(v); err != nil {
			t.Errorf("%q: %v", v, err)
		}
	})
}

func FuzzWord(f *testing.F)      { fuzz(f, "word") }
func FuzzQuoted(f *testing.F)    { fuzz(f, "quoted") }
func FuzzPair(f *testing.F)      { fuzz(f, "pair") }
func FuzzList(f *testing.F)      { fuzz(f, "list") }
func FuzzCopyLine(f *testing.F)  { fuzz(f, "copyLine") }
func FuzzFlag(f *testing.F)      { fuzz(f, "flag") }
func FuzzMount(f *testing.F)     { fuzz(f, "mount") }
func FuzzShell(f *testing.F)     { fuzz(f, "shell") }
func FuzzShellText(f *testing.F) { fuzz(f, "shellText") }
func FuzzShellPath(f *testing.F) { fuzz(f, "shellPath") }
func FuzzProperty(f *testing.F)  { fuzz(f, "property") }
func FuzzHeredoc(f *testing.F)   { fuzz(f, "heredoc") }
func FuzzLiteral(f *testing.F)   { fuzz(f, "literal") }
func FuzzPattern(f *testing.F)   { fuzz(f, "pattern") }
func FuzzComment(f *testing.F)   { fuzz(f, "comment") }

func checkWord(v string) error {
	c, err := one("WORKDIR " + word(plain(v)))
	if err != nil {
		return err
	}
	if err := same([]string{c.(*instructions.WorkdirCommand).Path}, v); err != nil {
		return err
	}
	c, err = one("USER " + word(text{{Text: v}, {Text: "VALUE OF A", Arg: "A"}, {Text: v}}))
	if err != nil {
		return err
	}
	err = same([]string{c.(*instructions.UserCommand).User}, v+"VALUE OF A"+v)
	if err != nil || strings.TrimSpace(v) == "" {
		return err
	}
	c, err = one("VOLUME " + list([]string{word(plain(v))}))
	if err != nil {
		return err
	}
	return same(c.(*instructions.VolumeCommand).Volumes, v)
}

// checkQuoted reads the default of an argument that stands before the first stage.
func checkQuoted(v string) error {
	_, args, err := read("ARG NAME="+quoted(plain(v))+"\nFROM scratch\n", evil{})
	if err != nil {
		return err
	}
	if len(args) != 1 || len(args[0].Args) != 1 || args[0].Args[0].Key != "NAME" {
		return fmt.Errorf("it is %v", args)
	}
	got, err := expand(evil{})(*args[0].Args[0].Value)
	if err != nil {
		return err
	}
	return same([]string{got}, v)
}

func checkPair(v string) error {
	p := pair(v, plain(v)) + " \\\n    " + pair("B", text{{Text: v}, {Text: "VALUE OF A", Arg: "A"}})
	want := []string{v, v, "B", v + "VALUE OF A"}
	for _, name := range []string{"ENV", "LABEL"} {
		c, err := one(name + " " + p)
		if err != nil {
			return err
		}
		var pairs instructions.KeyValuePairs
		switch c := c.(type) {
		case *instructions.EnvCommand:
			pairs = c.Env
		case *instructions.LabelCommand:
			pairs = c.Labels
		}
		var got []string
		for _, kv := range pairs {
			got = append(got, kv.Key, kv.Value)
		}
		if err := same(got, want...); err != nil {
			return err
		}
	}
	return nil
}

func checkList(v string) error {
	c, err := one("ENTRYPOINT " + list([]string{v, "x", v}))
	if err != nil {
		return err
	}
	entrypoint := c.(*instructions.EntrypointCommand)
	if entrypoint.PrependShell {
		return fmt.Errorf("it is a command of the shell: %q", entrypoint.CmdLine)
	}
	if err := same(entrypoint.CmdLine, v, "x", v); err != nil {
		return err
	}
	if c, err = one("HEALTHCHECK --retries=3 CMD " + list([]string{v})); err != nil {
		return err
	}
	return same(c.(*instructions.HealthCheckCommand).Health.Test, "CMD", v)
}

func checkCopy(v string) error {
	c, err := one(copyLine("--link", word(plain(v)), word(plain(v))))
	if err != nil {
		return err
	}
	copied := c.(*instructions.CopyCommand)
	if copied.From != "" || !copied.Link || len(copied.SourceContents) > 0 {
		return fmt.Errorf("it is %+v", copied)
	}
	return same(append(copied.SourcePaths, copied.DestPath), v, v)
}

func checkFlag(v string) error {
	c, err := one("COPY --link " + flag("chown", bare(plain(v))) + " --chmod=0644 a b")
	if err != nil {
		return err
	}
	copied := c.(*instructions.CopyCommand)
	return same(append([]string{copied.Chown, copied.Chmod}, copied.SourcePaths...), v, "0644", "a")
}

func checkMount(v string) error {
	m := mount("secret", "id", v, "target", "/x", "required", "true")
	c, err := one("RUN " + m + " \\\n    " + mount("ssh", "id", v) + " \\\n    true")
	if err != nil {
		return err
	}
	run := c.(*instructions.RunCommand)
	if err := same(run.CmdLine, "true"); err != nil {
		return err
	}
	var got []string
	for _, m := range instructions.GetMounts(run) {
		got = append(got, string(m.Type), m.CacheID, m.Target)
	}
	return same(got, "secret", v, "/x", "ssh", v, "")
}

// runs returns the arguments that a shell passes to a command in a RUN of a Dockerfile.
func runs(args string, env ...string) ([]string, error) {
	c, err := one("RUN tell " + args)
	if err != nil {
		return nil, err
	}
	run := c.(*instructions.RunCommand)
	if len(run.CmdLine) != 1 || !run.PrependShell || len(run.Files) > 0 {
		return nil, fmt.Errorf("it is %+v", run)
	}
	return sh(run.CmdLine[0], env...)
}

// sh returns the arguments that a script passes to the function tell. The script cannot run anything else.
func sh(script string, env ...string) ([]string, error) {
	const tell = `tell() { for a in "$@"; do printf '%s\0' "$a"; done; }` + "\n"
	cmd := exec.Command("/bin/sh", "-c", tell+script)
	cmd.Env, cmd.Dir = append(env, "PATH=/nowhere"), os.TempDir()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		return nil, fmt.Errorf("sh: %w: %s: %s", err, stderr.String(), script)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00"), nil
}

func checkShell(v string) error {
	if len(v) > 10_000 {
		return nil
	}
	got, err := runs(shell(v) + " \\\n    " + shell(v) + " last")
	if err != nil {
		return err
	}
	return same(got, v, v, "last")
}

func checkShellText(v string) error {
	if len(v) > 10_000 {
		return nil
	}
	got, err := runs(shellText(text{{Text: v}, {Text: "?", Arg: "A"}, {Text: v}}), "A="+strings.ReplaceAll(v, "\x00", ""))
	if err != nil {
		return err
	}
	return same(got, v+v+v)
}

// checkShellPath checks that a path stays the same and is not an option.
func checkShellPath(v string) error {
	if len(v) > 10_000 {
		return nil
	}
	got, err := runs(shellPath(v))
	if err != nil {
		return err
	}
	if len(got) != 1 || strings.HasPrefix(got[0], "-") || strings.HasPrefix(got[0], "@") {
		return fmt.Errorf("it is %q", got)
	}
	return same([]string{path.Clean(got[0])}, path.Clean(v))
}

// unescape does what MSBuild does with the value of a property (EscapingUtilities.UnescapeAll), after it has removed
// the quotes.
func unescape(arg string) string {
	var b strings.Builder
	for i := 0; i < len(arg); i++ {
		var c byte
		if i+2 < len(arg) && arg[i] == '%' {
			if _, err := fmt.Sscanf(arg[i+1:i+3], "%02X", &c); err == nil {
				b.WriteByte(c)
				i += 2
				continue
			}
		}
		b.WriteByte(arg[i])
	}
	return b.String()
}

func checkProperty(v string) error {
	if escaped := property(strings.ReplaceAll(v, "%", "%25")); unescape(escaped) != v {
		return fmt.Errorf("it is %q for MSBuild", escaped)
	}
	arg := propertyText("Name", plain(v)).String()
	value, ok := strings.CutPrefix(arg, `-p:Name="`)
	value, isQuoted := strings.CutSuffix(value, `"`)
	if !ok || !isQuoted || strings.ContainsAny(value, "\"\\") || unescape(value) != v {
		return fmt.Errorf("it is %q for MSBuild", arg)
	}
	return nil
}

func checkHeredoc(v string) error {
	if strings.ContainsFunc(v, func(r rune) bool { return r == 0 }) || len(v) > maxLine {
		return nil
	}
	begin, rest := heredoc(v)
	c, err := one("COPY --link " + begin + " /file\n" + rest)
	if err != nil {
		return err
	}
	copied := c.(*instructions.CopyCommand)
	if len(copied.SourceContents) != 1 || len(copied.SourcePaths) > 0 || copied.SourceContents[0].Expand {
		return fmt.Errorf("it is %+v", copied)
	}
	return same([]string{copied.SourceContents[0].Data, copied.DestPath}, strings.TrimSuffix(v, "\n")+"\n", "/file")
}

func checkLiteral(v string) error {
	if v == "" || strings.Contains(v, "/") {
		return nil
	}
	if ok, err := filepath.Match(literal(v), v); err != nil || !ok {
		return fmt.Errorf("%q does not find it: %w", literal(v), err)
	}
	for _, other := range append(others(v), "a", "b") {
		if ok, _ := filepath.Match(literal(v), other); ok && other != v {
			return fmt.Errorf("%q finds %q", literal(v), other)
		}
	}
	return nil
}

// others are names that the pattern of another name could match.
func others(v string) []string {
	return []string{v + "x", "x" + v, strings.ReplaceAll(v, "*", "x"), strings.ReplaceAll(v, "?", "x")}
}

// checkPattern escapes a name as the plan does. It checks that COPY --parents finds the name, and does not require a
// file with the name of the pattern.
func checkPattern(v string) error {
	name := path.Clean(v)
	if v == "" || name != v || strings.HasPrefix(name, "/") || name == "." || strings.HasPrefix(name, "..") {
		return nil
	}
	p := strings.TrimPrefix(path.Join("/", source(dotnet.Escape(name))), "/")
	if strings.HasPrefix(p, "!") || p != strings.TrimSpace(p) {
		return nil // dotnet.Escape does this too, and has its own tests
	}
	ok, err := patternmatcher.MatchesOrParentMatches(name, []string{p})
	if err != nil || !ok {
		return fmt.Errorf("%q does not find it: %w", p, err)
	}
	for _, other := range others(name) {
		if ok, _ := patternmatcher.MatchesOrParentMatches(other, []string{p}); ok && other != name {
			return fmt.Errorf("%q finds %q", p, other)
		}
	}
	if strings.Contains(p, `\`) && !strings.Contains(p, "[") {
		return fmt.Errorf("COPY would look for a file of the name %q", p)
	}
	return nil
}

func checkComment(v string) error {
	w := &writer{page: newPage(nil)}
	w.left(v, "is odd")
	w.comment("A %s %s", oneLine(v), oneLine(v))
	for _, line := range w.lines {
		if !strings.HasPrefix(line, "# ") || unheld(line) != "" {
			return fmt.Errorf("it is %q", line)
		}
	}
	_, err := one(strings.Join(w.lines, "\n") + "\nRUN true")
	return err
}

// A value that no line can hold is reported with the reason.
func TestUnheld(t *testing.T) {
	for _, tc := range []struct {
		name string
		f    func(string) string
		v    string
		want string
	}{
		{"unheld", unheld, "", ""},
		{"unheld", unheld, "tab\tand é", ""},
		{"unheld", unheld, "a\nb", "has a line break, or another control character"},
		{"unheld", unheld, "a\rb", "has a line break, or another control character"},
		{"unheld", unheld, "\u2028", "has a line break, or another control character"},
		{"unheld", unheld, "\u0085", "has a line break, or another control character"},
		{"unheld", unheld, "\x00", "has a line break, or another control character"},
		{"unheld", unheld, "\xff", "is not UTF-8"},
		{"unheld", unheld, strings.Repeat("x", maxLine), ""},
		{"unheld", unheld, strings.Repeat("x", maxLine+1), "is longer than a line can be"},
		{"unheldKey", unheldKey, "a b", ""},
		{"unheldKey", unheldKey, "", "is empty"},
		{"unheldKey", unheldKey, "a=b", "has an equals sign"},
		{"unheldKey", unheldKey, "a\n", "has a line break, or another control character"},
		{"unheldFlag", unheldFlag, "a b'", ""},
		{"unheldFlag", unheldFlag, "é", "has a character that a flag cannot have"},
		{"unheldFlag", unheldFlag, "a\n", "has a line break, or another control character"},
	} {
		if got := tc.f(tc.v); got != tc.want {
			t.Errorf("%s(%.20q) = %q, want %q", tc.name, tc.v, got, tc.want)
		}
	}
}

// BuildKit takes flags byte by byte, which is why some values are left out. If this test fails, they need not be left
// out any more.
func TestFlagsAreBytes(t *testing.T) {
	c, err := one("COPY --chown=é a b")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.(*instructions.CopyCommand).Chown; got == "é" {
		t.Errorf("the parser takes %q now: unheldFlag is too strict", got)
	}
}

// Comments cut off what is long, and escape what does not print.
func TestOneLine(t *testing.T) {
	for v, want := range map[string]string{
		"plain é": "plain é", "a\nb": `a\nb`, "\u2028": `\u2028`, "\t\x00": `\t\x00`, "\xff": "\ufffd",
		strings.Repeat("x", 1000): strings.Repeat("x", 501) + "…",
	} {
		if got := oneLine(v); got != want {
			t.Errorf("oneLine(%.20q) = %q, want %q", v, got, want)
		}
	}
}

// The words of ordinary values look as people write them.
func TestPlain(t *testing.T) {
	args := text{{Text: "v"}, {Text: "1.0", Arg: "VERSION"}}
	for got, want := range map[string]string{
		word(plain("/srv/my-app_1.0")):                      `/srv/my-app_1.0`,
		word(plain("two words")):                            `"two words"`,
		word(args):                                          `"v${VERSION}"`,
		pair("LANG", plain("C.UTF-8")):                      `LANG="C.UTF-8"`,
		pair("a b", args):                                   `"a b"="v${VERSION}"`,
		list([]string{"a", "b&c"}):                          `["a", "b&c"]`,
		list(nil):                                           `[]`,
		flag("chown", bare(plain("1654:1654"))):             `--chown=1654:1654`,
		mount("secret", "id", "a-b", "env", "X"):            `--mount=type=secret,id=a-b,env=X`,
		shell("src/app/app.csproj"):                         `src/app/app.csproj`,
		shell(""):                                           `''`,
		shellPath("-x"):                                     `./-x`,
		shellText(propertyText("Version", args)):            `"-p:Version=\"v${VERSION}\""`,
		copyLine("--link", "a", "b"):                        `COPY --link a b`,
		pattern(dotnet.Escape("src/app")):                   `src/app`,
		pattern(dotnet.Escape("a*b/[c]")):                   `a[\*]b/[\[]c]`,
		literal("a?b"):                                      `a[\?]b`,
		text{{Text: "a"}, spec.Part{Arg: "B"}}.String():     `a`,
		strings.Join([]string{source(".editorconfig")}, ""): `.editorconfi[g]`,
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
