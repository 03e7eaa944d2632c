package scaffold

import (
	"regexp"
	"slices"
	"strings"
)

// sourcesList is the beginning of the files with sources of packages.
const sourcesList = "/etc/apt/sources.list"

var (
	installs = regexp.MustCompile(`^(?:apt|apt-get|aptitude|apk|dnf|microdnf|tdnf|yum|zypper)$`)
	isApt    = regexp.MustCompile(`^apt(?:-get|itude)?$`)
	// packageWord is what the key base.packages takes.
	packageWord = regexp.MustCompile(
		`^[a-z0-9][a-z0-9+.-]*[a-z0-9+](?:=[0-9][A-Za-z0-9.+~:*-]*|/[A-Za-z0-9][A-Za-z0-9.-]*)?$`)
	// keyrings are where apt has the keys of sources.
	keyrings = regexp.MustCompile(`/etc/apt/(?:keyrings|trusted\.gpg)|/usr/share/keyrings`)
)

// ofPackages is what a spec needs for a command about packages of the distribution. Not every such command needs
// something: ok tells whether it is one.
func ofPackages(words []string) (n *Need, ok bool) {
	line := strings.Join(words, " ")
	switch {
	case isApt.MatchString(words[0]):
		return ofApt(words[1:]), true
	case installs.MatchString(words[0]):
		const advice = "a base that has the packages, or base.packages on a base of Debian or Ubuntu"
		return &Need{Key: "base.image", Advice: advice}, true
	case words[0] == "rm" && strings.Contains(line, "/var/lib/apt"), words[0] == "apt-mark", words[0] == "ldconfig":
		return nil, true // cleans up after an installation
	case strings.Contains(line, sourcesList):
		return &Need{Key: "base.packages.sources"}, true
	case keyrings.MatchString(line) && slices.Contains([]string{"mkdir", "install", "chmod"}, words[0]):
		return nil, true
	case words[0] == "gpg", words[0] == "apt-key", keyrings.MatchString(line):
		return &Need{Key: "base.packages.keys", Advice: "with the key in the context"}, true
	}
	return nil, false
}

// ofApt is what a spec needs for a command of apt; nil for nothing.
func ofApt(words []string) *Need {
	command, suite, others := "", "", false
	recommends := true
	var packages []string
	for i := 0; i < len(words); i++ {
		word := strings.Trim(words[i], `"'`)
		name, value, own := strings.Cut(word, "=")
		switch {
		case slices.Contains([]string{"-t", "--target-release", "--default-release", "-o", "-c"}, name):
			if i++; !own && i < len(words) {
				value = words[i]
			} else {
				i--
			}
			if strings.HasSuffix(name, "-release") || name == "-t" {
				suite = strings.Trim(value, `"'`)
			}
		case word == "--no-install-recommends":
			recommends = false
		case strings.HasPrefix(word, "-"), strings.ContainsAny(word, "<>"):
		case command == "":
			command = word
		case packageWord.MatchString(word):
			packages = append(packages, word)
		default: // a variable, or an archive
			others = true
		}
	}
	switch command {
	case "install":
	case "upgrade", "dist-upgrade", "full-upgrade":
		return &Need{Key: "base.image", Advice: "a newer base: nothing upgrades the packages of a base"}
	case "remove", "purge":
		return &Need{Key: "base.packages", Advice: "leave out what is removed again"}
	default:
		return nil
	}
	for i := range packages {
		if suite != "" && !strings.ContainsAny(packages[i], "=/") {
			packages[i] += "/" + suite
		}
	}
	advice := "[" + strings.Join(packages, ", ") + "]"
	if others || len(packages) == 0 {
		advice = strings.TrimSpace(advice + " and the others by their names")
	}
	if recommends {
		advice += "; with recommends: true if the app needs what they recommend"
	}
	return &Need{Key: "base.packages", Advice: strings.TrimPrefix(advice, "[] and ")}
}
