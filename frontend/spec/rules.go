package spec

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A rule says what is allowed for a key: for its value, for each item of its list, or for each value of its map. The
// tag "rule" of a field names it. Errors, the schema and the reference come from it.
type rule struct {
	// is ends a sentence with "must be", in errors and in the schema.
	is string
	// match matches what is right. The schema has it too, so RE2 and ECMAScript must read it alike.
	match *regexp.Regexp
	// why says what else is wrong, beyond is. It finds what match cannot find, and the schema does not have it.
	why func(string) string
	// oneOf are all allowed values.
	oneOf []string
	// private keeps a value out of messages, because it may contain a password.
	private bool
	// verbatim keeps ${NAME} in a value as it is: a shell reads the value, and gets build arguments as variables. As text,
	// a build argument could add commands.
	verbatim bool
	// not matches texts that match allows but that are wrong, such as reserved names. because says why.
	not     *regexp.Regexp
	because func(string) string
	// min and max limit a number. A max of zero is no limit.
	min, max int64
	// names is the rule for the names in a map. If caseless is set, names that differ only in case are equal.
	names    *rule
	caseless bool
	// list says what is wrong with a list. never are the beginnings of wrong lists, for the schema.
	list  func([]string) string
	never []beginning
}

// beginning matches the beginning of a list with at least some items. Each item must be one of these, unless the list
// has ended before it.
type beginning struct {
	least int
	items [][]any
}

const (
	// control are characters that end a line or that nobody sees. No name and no path needs them.
	control = `\x00-\x1f\x7f-\x9f` + "\u2028\u2029"

	isText     = "a text without the character NUL"
	isVariable = "letters, digits and _, no digit first"
	isFolder   = "an absolute path, below /"
	isID       = "the id of a secret, as in --secret id=ID"
	isPackage  = "a package such as curl, curl=7.88.1-10+deb12u* or curl/bookworm-backports"
	maxUser    = 1<<31 - 1 // engines allow no higher number (moby/sys/user)
	maxOwner   = 1<<32 - 2 // chown(2) takes the next number for "unchanged"
)

var (
	aText     = all(`[^\x00]*`)
	aLine     = all(`[^` + control + `]*`)
	aName     = all(`[^` + control + `]+`)
	aWord     = all(`[^ ` + control + `]+`)
	aVariable = all(`[a-zA-Z_][a-zA-Z0-9_]*`) // the SDK's rule for ContainerEnvironmentVariable
	aPath     = all(strings.ReplaceAll(`[^/\\.C][^\\C]*|\.([^.\\C][^\\C]*)?|\.\.[^/\\C][^\\C]*`, "C", control))
	aSource   = all(strings.ReplaceAll(`/+|/*([^/\\.C][^\\C]*|\.([^.\\C][^\\C]*)?|\.\.[^/\\C][^\\C]*)`, "C", control))
	belowRoot = all(`/+[^/` + control + `][^` + control + `]*`)
	aURL      = all(strings.ReplaceAll(`https?://[^@/?# C]+([/?#][^ C]*)?`, "C", control))
	aUser     = all(strings.ReplaceAll(`[^ :C]+(:[^ :C]+)?`, "C", control))
	aDuration = all(`\+?(0|(([0-9]+\.?[0-9]*|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)`)
	aPort     = all(upTo(65535) + `(-` + upTo(65535) + `)?(/([tT][cC][pP]|[uU][dD][pP]|[sS][cC][tT][pP]))?`)
	anOwner   = all(owner + `(:` + owner + `)?`)
	owner     = `(0|` + upTo(maxOwner) + `|` + account + `)`
	account   = `[A-Za-z_][A-Za-z0-9_.-]*`
	anAccount = all(`[A-Za-z_][A-Za-z0-9_.-]{0,31}`) // useradd allows no longer name
	anID      = `(0|` + upTo(maxUser) + `)`

	// aPackage is the name of a package of Debian (Debian Policy, 5.6.1). It has a letter, unlike a number.
	aPackage = `[0-9]*[a-z][a-z0-9+.-]*[a-z0-9+]`
	// askedPackage is a package as apt-get install takes it.
	askedPackage = all(aPackage + `(=[0-9][A-Za-z0-9.+~:*-]*|/[A-Za-z0-9][A-Za-z0-9.-]*)?`)

	// architecture is one that Debian or Ubuntu has, by its names in images, in the kernel and in dpkg.
	architecture = `amd64|x86_64|arm64|aarch64|arm|armhf|armel|386|i386|s390x|ppc64le|riscv64|loong64|mips64le`

	// buildKits matches build arguments that BuildKit itself uses.
	buildKits = regexp.MustCompile(`^SOURCE_DATE_EPOCH$|^BUILDKIT_|_[pP][rR][oO][xX][yY]$`)
)

// sourceName is the rule for the name of a source of packages, which is the name of a file (sources.list(5)).
var sourceName = &rule{is: "letters, digits, _, - and '.'", match: all(`[A-Za-z0-9_.-]{1,64}`)}

// noProgram is the beginning of a command without a program.
var noProgram = beginning{items: [][]any{{"", nil}}}

// rules are all rules that fields name.
var rules = map[string]*rule{
	"text":   {is: isText, match: aText},
	"line":   {is: "a text of one line, without control characters", match: aLine},
	"switch": {is: "true or false"},
	"count":  {is: "a whole number from 0 to 2147483647", max: maxUser},

	"path":       {is: "a path relative to the build context", match: aPath, why: noPath},
	"image-path": {is: "an absolute path in the image", match: all(`/[^` + control + `]*`)},
	"volume": {
		is:    "an absolute path in the image, below /",
		match: belowRoot, why: noVolume,
	},
	"from": {
		is: "a path relative to the build context, an absolute path of an image or of another context, or an address " +
			"that begins with https:// or http://",
		match: aSource, why: noFrom,
	},
	"below":   {is: "an absolute path in the image, below /", match: belowRoot, why: noBelow},
	"pattern": {is: "a pattern as in .dockerignore, of one line", match: aName},
	"checksum": {
		is:    "sha256: and 64 hex digits, or the 40 or 64 hex digits of a commit",
		match: all(`sha256:[a-f0-9]{64}|[a-f0-9]{40}|[a-f0-9]{64}`),
		names: &rule{
			is:    "a platform or an architecture, such as linux/arm64 or arm64",
			match: all(`[a-z0-9_]+(/[a-z0-9_]+){0,2}`),
		},
	},
	"depth": {is: "a whole number from 0 to 20", max: 20},
	"mode": {
		is:    "an octal number of three or four digits, such as 0644, up to 7777",
		match: all(`0?[0-7]{3,4}`), max: 7777,
	},
	"owner": {
		is:    "a user, or user:group: each a number up to 4294967294, or a name such as app",
		match: anOwner, max: maxOwner,
	},
	"context": { // a repository in an image reference, see dockerui.NamedContext
		is:    "a name that --build-context takes: lower-case letters, digits, '.', - and _",
		match: all(`[a-z0-9][a-z0-9._-]*`),
	},

	"framework":    {is: "a TargetFramework such as net10.0", match: all(`[A-Za-z0-9][A-Za-z0-9.+_-]*`)},
	"publish-mode": {oneOf: strings.Fields("portable apphost self-contained single-file ready-to-run trimmed aot")},
	"properties":   {is: isText, match: aText, names: propertyName},
	"reference":    {is: "a reference of an image, without spaces", match: aWord},
	"tag": {
		is:    "a tag of an image, with or without a digest",
		match: all(`[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(@[a-z0-9]+:[a-f0-9]+)?`),
	},
	"family": {
		is:    "a variant of the base such as noble-chiseled: letters, digits, '.', - and _",
		match: all(`[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}`),
	},

	"package":      {is: isPackage, match: askedPackage},
	"package-name": {is: "the name of a package, such as curl", match: all(aPackage)},
	"only": {
		is: isPackage, match: askedPackage,
		names: &rule{
			is:    "a platform such as linux/arm64, or an architecture such as arm64",
			match: all(`(` + architecture + `)|linux/(` + architecture + `)(/v[0-9]+)?`),
		},
	},
	"time": {
		is:    "a time such as 2026-11-01T00:00:00Z",
		match: all(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z`), why: noTime,
	},
	"apt-source": {
		is:    "the lines of a .list or .sources file of apt",
		match: all(`[^\x00\r]*\S[^\x00\r]*`), private: true, names: sourceName,
	},
	"apt-key": {is: "a path relative to the build context", match: aPath, why: noPath, names: sourceName},

	"feed": { // also the name of an XML element
		is:    "the key of a source: letters, digits, '.', '_' and '-', and the first is a letter or _",
		match: all(`[a-zA-Z_][a-zA-Z0-9._-]*`),
	},
	"source": {
		is:    "a URL that begins with https:// or http://, without credentials",
		match: aURL, why: noSource, private: true,
	},
	"id":      {is: isID, match: aName},
	"agent":   {is: "the id of an agent, as in --ssh ID", match: aName},
	"secrets": {is: isID, match: aName, names: secretName},

	"shell": {
		is:    "a command: a text that is not empty, without the character NUL",
		match: all(`[^\x00]*[^\x00\s][^\x00]*`), verbatim: true,
	},
	"network": {is: "one of default, none and host", match: all(`default|none|host`)},
	"cache": {is: isFolder, match: belowRoot, why: noCache, names: &rule{
		is:    "the name of a cache: lower-case letters, digits, '.', - and _, 64 at most",
		match: all(`[a-z0-9][a-z0-9._-]{0,63}`),
	}},
	"tool-path": {is: isFolder, match: belowRoot},
	"command":   {is: isText, match: aText, list: noCommand, never: []beginning{noProgram}},
	"probe": {is: isText, match: aText, list: noProbe, never: []beginning{
		noProgram, {items: [][]any{{"CMD", "CMD-SHELL"}, {"", nil}}}, {least: 2, items: [][]any{{"NONE"}}},
	}},
	"test-args": {is: isText, match: aText, list: noTestArgs},
	"user": {
		is:    "a user, or user:group: each a name without spaces, or a number up to 2147483647",
		match: aUser, why: noUser, max: maxUser,
	},
	"account": {
		is:    "a name of at most 32 characters: letters, digits, '.', - and _, and the first is a letter or _",
		match: anAccount,
	},
	"uid":   {is: "a number from 0 to 2147483647", match: all(anID), max: maxUser},
	"group": {is: "the name or the number of a group", match: all(anID + `|` + account), max: maxUser},
	"account-path": {
		is:    "an absolute path in the image, without a colon",
		match: all(`/[^:` + control + `]*`),
	},
	"env": {is: isText, match: aText, names: &rule{is: isVariable, match: aVariable}},
	"labels": {is: isText, match: aText, names: &rule{
		is: "a text of one line, and not empty", match: aName,
		not: regexp.MustCompile(`\$\{[^}]*\}`), because: func(string) string {
			return "a name takes no build arguments, a value does"
		},
	}},
	"port": {
		is:    "a port from 1 to 65535, or a range such as 8000-8010; add /udp or /sctp if the protocol is not TCP",
		match: aPort, why: noPort, list: noPorts, min: 1, max: 65535,
	},
	"signal": {
		is:    "the name of a signal such as SIGTERM, or its number from 1 to 64",
		match: all(signals()), min: 1, max: 64,
	},
	"duration": {is: "a duration such as 30s or 1m30s: 0, or at least 1ms", match: aDuration, why: noDuration},

	"args": {names: &rule{
		is: isVariable + ", 128 at most", match: all(`[a-zA-Z_][a-zA-Z0-9_]{0,127}`),
		not: buildKits, because: func(string) string {
			return "BuildKit itself reads this argument: remove it from args"
		},
	}},
	"apps": {names: &rule{
		is:    "lower-case letters, digits, - and _, 128 at most, as it is a target of buildx",
		match: all(`[a-z0-9][a-z0-9_-]{0,127}`),
		not:   reserved, because: func(string) string { return "it is the name of another target" },
	}},
}

// wrong says what is wrong with a text. It is the end of a sentence that begins with the key and the text; "" means
// nothing is wrong.
func (r *rule) wrong(text string) string {
	if len(r.oneOf) > 0 {
		if slices.Contains(r.oneOf, text) {
			return ""
		}
		return " is not known: use " + strings.Join(r.oneOf, ", ")
	}
	if r.not != nil && r.not.MatchString(text) {
		return ": " + r.because(text)
	}
	if r.why != nil {
		if why := r.why(text); why != "" {
			return " must be " + r.is + ": " + why
		}
	}
	if r.match != nil && !r.match.MatchString(text) {
		return " must be " + r.is
	}
	return ""
}

// check reports what is wrong with the text of a node. what follows the path of the key in the message, such as ":
// name".
func (d *decoder) check(n *node, r *rule, path, what, text string) (ok bool) {
	wrong := r.wrong(text)
	if wrong == "" {
		return true
	}
	what = where(path) + what
	switch {
	case len(r.oneOf) > 0:
		what += ": " + show(text)
	case !r.private:
		what += " " + show(withoutUser(text))
	}
	d.errorf(n, "%s%s", what, wrong)
	return false
}

// same returns the same text for all names that count as equal.
func (r *rule) same(name string) string {
	if r != nil && r.caseless {
		return strings.ToLower(name)
	}
	return name
}

// all makes an expression that matches a whole text.
func all(expr string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + expr + `)$`) }

// upTo makes an expression for the whole numbers from 1 to n.
func upTo(n int64) string {
	digits := fmt.Sprint(n)
	alternatives := []string{digits}
	if len(digits) > 1 {
		alternatives = append(alternatives, fmt.Sprintf("[1-9][0-9]{0,%d}", len(digits)-2))
	}
	for i, first := 0, byte('1'); i < len(digits); i, first = i+1, '0' {
		if digits[i] > first {
			rest := strings.Repeat("[0-9]", len(digits)-1-i)
			alternatives = append(alternatives, fmt.Sprintf("%s[%c-%c]%s", digits[:i], first, digits[i]-1, rest))
		}
	}
	return "(" + strings.Join(alternatives, "|") + ")"
}

// anyCase makes an expression for a word in upper or lower case.
func anyCase(word string) string {
	var b strings.Builder
	for _, c := range word {
		if lower, upper := strings.ToLower(string(c)), strings.ToUpper(string(c)); lower != upper {
			b.WriteString("[" + upper + lower + "]")
		} else {
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	return b.String()
}

// signals makes an expression for what STOPSIGNAL accepts (moby/sys/signal), in the range that kill(2) accepts.
func signals() string {
	names := strings.Fields("ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV " +
		"STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ")
	for i, name := range names {
		names[i] = anyCase(name)
	}
	names = append(names, anyCase("RTMIN")+`(\+`+upTo(15)+`)?`, anyCase("RTMAX")+`(-`+upTo(14)+`)?`)
	return upTo(64) + "|(" + anyCase("SIG") + ")?(" + strings.Join(names, "|") + ")"
}
