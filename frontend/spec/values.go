package spec

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// Ports returns the ports of an entry of image.ports, each with its protocol, such as "8080/tcp". It reads the entry as
// EXPOSE does (dockerfile2llb, parsePort).
func Ports(value string) ([]string, error) {
	if !aPort.MatchString(value) {
		return nil, fmt.Errorf("port %s must be %s", show(value), rules["port"].is)
	}
	first, last, protocol := portRange(value)
	if last < first {
		return nil, fmt.Errorf("port %s ends before it begins", show(value))
	}
	var ports []string
	for p := first; p <= last; p++ {
		ports = append(ports, strconv.Itoa(p)+"/"+protocol)
	}
	return ports, nil
}

// portRange reads a text that aPort matches.
func portRange(value string) (first, last int, protocol string) {
	numbers, protocol, ok := strings.Cut(value, "/")
	if !ok {
		protocol = "tcp"
	}
	from, to, ok := strings.Cut(numbers, "-")
	if !ok {
		to = from
	}
	first, _ = strconv.Atoi(from) // aPort allows only numbers here
	last, _ = strconv.Atoi(to)
	return first, last, strings.ToLower(protocol)
}

// FileMode returns the mode for a files.mode, in the bits that chmod(2) takes and BuildKit passes on. os.FileMode has
// other bits for setuid, setgid and sticky.
func FileMode(value string) (os.FileMode, error) {
	if !rules["mode"].match.MatchString(value) {
		return 0, fmt.Errorf("mode %s must be %s", show(value), rules["mode"].is)
	}
	m, err := strconv.ParseUint(value, 8, 12)
	return os.FileMode(m), err
}

// The functions below say why a text, or a list, breaks its rule; "" means that it does not.

func noPath(v string) string {
	clean := path.Clean(v)
	switch {
	case v == "": // the rule reports this if a value is needed
	case strings.Contains(v, `\`):
		return "write / between folders"
	case path.IsAbs(v) && len(clean) > 1:
		return "it begins with the root of the file system; remove the / at its beginning if you mean the context"
	case path.IsAbs(v) || clean == ".." || strings.HasPrefix(clean, "../"):
		return "it leads out of the context"
	}
	return ""
}

func noVolume(v string) string {
	if path.IsAbs(v) && path.Clean(v) == "/" {
		return "engines cannot mount a volume there"
	}
	return ""
}

// noCache refuses folders that the step itself needs.
func noCache(v string) string {
	clean := path.Clean(v)
	for _, taken := range []string{"/source", "/publish", "/nuget", "/diagnostics", "/dotnet-tools"} {
		if clean == taken {
			return "the step has other files there"
		}
	}
	if clean == "/" {
		return "name a folder below /"
	}
	return ""
}

func noSource(v string) string {
	if !strings.HasPrefix(v, "https://") && !strings.HasPrefix(v, "http://") {
		return "a folder of the repository belongs in its nuget.config"
	}
	if u, err := url.Parse(v); err == nil && u.User != nil { // not an error for %NAME%, which nuget.config may contain
		return "use username and password-secret"
	}
	return ""
}

func noUser(v string) string {
	for part := range strings.SplitSeq(v, ":") {
		if part == "" || strings.Trim(part, "+-0123456789") != "" {
			continue // not a number
		}
		if n, err := strconv.ParseInt(part, 10, 64); err != nil || n < 0 || n > maxUser {
			return "engines do not accept that number"
		}
	}
	return ""
}

func noPort(v string) string {
	if first, last, _ := portRange(v); aPort.MatchString(v) && last < first {
		return "it ends before it begins"
	}
	return ""
}

func noPorts(values []string) string {
	const most = 65535
	n := 0
	for _, v := range values {
		first, last, _ := portRange(v)
		n += last - first + 1
	}
	if n > most {
		return fmt.Sprintf("that is %d ports, and %d is the most", n, most)
	}
	return ""
}

func noDuration(v string) string {
	switch d, err := time.ParseDuration(v); {
	case err != nil && aDuration.MatchString(v):
		return "that is too long"
	case err != nil || d == 0: // the rule reports this
	case d < 0:
		return "it is negative"
	case d < time.Millisecond: // instructions.parseOptInterval
		return "that is too short"
	}
	return ""
}

func noTime(v string) string {
	if _, err := time.Parse(time.RFC3339, v); err != nil {
		return "there is no such time"
	}
	return ""
}

func noCommand(words []string) string {
	if len(words) == 0 || words[0] == "" {
		return "the first word is the program, and cannot be missing: leave out the key to let the SDK say how the app starts"
	}
	return ""
}

func noProbe(words []string) string {
	switch {
	case len(words) == 0 || words[0] == "":
		return "write the command to run, word by word, or [NONE]"
	case words[0] == "NONE" && len(words) > 1:
		return "NONE must be the only word"
	case (words[0] == "CMD" || words[0] == "CMD-SHELL") && (len(words) == 1 || words[1] == ""):
		return "the command after " + words[0] + " is missing"
	}
	return ""
}

// testKeys are options of dotnet test that tests.args cannot have, and what to do in place of them. The build gives
// some of them itself.
var testKeys = map[string]string{
	"--filter": "write tests.filter", "--settings": "write tests.settings", "-s": "write tests.settings",
	"--configuration": "write publish.configuration", "-c": "write publish.configuration",
	"--results-directory": "the results are those of target test", "--output": "the results are those of target test",
	"-o":        "the results are those of target test",
	"--project": "write tests.projects", "--solution": "write tests.projects",
	"--no-build": "the step builds the tests", "--no-restore": "a step of its own restores the tests",
}

// noTestArgs refuses options that have a key of their own, or that would break the build. What follows -- is for the
// tests.
func noTestArgs(args []string) string {
	for _, arg := range args {
		if arg == "--" {
			return ""
		}
		name := arg
		if i := strings.IndexAny(arg, "=:"); i > 0 {
			name = arg[:i]
		}
		if instead, ok := testKeys[name]; ok {
			return "it cannot have " + show(arg) + ": " + instead
		}
	}
	return ""
}
