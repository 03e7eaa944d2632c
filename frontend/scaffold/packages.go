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

// ofPackages is what a spec needs for a command about packages of the distribution, in the image or in one that is made
// from it. Not every such command needs something: ok tells whether it is one.
func ofPackages(image string, c command) (needs []Need, ok bool) {
	program, text := c.program(), c.text()
	switch {
	case installs.MatchString(program):
		return ofInstall(image, program, readInstall(c.words)), true
	case program == "rm" && strings.Contains(text, "/var/lib/apt"), program == "apt-mark", program == "ldconfig":
		return nil, true // cleans up after an installation
	case strings.Contains(text, sourcesList):
		return []Need{{Key: "base.packages.sources"}}, true
	case keyrings.MatchString(text) && slices.Contains([]string{"mkdir", "install", "chmod"}, program):
		return nil, true
	case program == "gpg", program == "apt-key", keyrings.MatchString(text):
		return []Need{{Key: "base.packages.keys", Advice: "with the key in the context"}}, true
	}
	return nil, false
}

// install is a command of a package manager.
type install struct {
	command    string // such as install
	suite      string
	packages   []string
	recommends bool // what apt installs unless it is told not to
}

// adds tells whether a command installs packages.
func (in install) adds() bool { return slices.Contains([]string{"install", "add", "in"}, in.command) }

// readInstall reads a command of a package manager.
func readInstall(words []string) install {
	in := install{recommends: true}
	for i := 1; i < len(words); i++ {
		name, value, own := strings.Cut(words[i], "=")
		switch {
		case slices.Contains([]string{
			"-t", "--target-release", "--default-release", "-o", "-c", "--virtual", "-X", "--repository",
		}, name):
			if i++; !own && i < len(words) {
				value = words[i]
			} else {
				i--
			}
			if strings.HasSuffix(name, "-release") || name == "-t" {
				in.suite = value
			}
		case name == "--no-install-recommends":
			in.recommends = false
		case strings.HasPrefix(name, "-"):
		case in.command == "":
			in.command = name
		default:
			in.packages = append(in.packages, words[i])
		}
	}
	return in
}

// packageName is the name of a package without its version.
func packageName(p string) string {
	if i := strings.IndexAny(p, "=/<>~:"); i > 0 {
		return p[:i]
	}
	return p
}

// cultures are the packages of Alpine that the -extra variants of Microsoft's images have.
var cultures = []string{"icu", "icu-data-full", "icu-libs", "tzdata"}

// ofInstall is what a spec needs for a command of a package manager in an image.
func ofInstall(image, program string, in install) []Need {
	isOther := func(p string) bool { return !slices.Contains(cultures, packageName(p)) }
	switch {
	case slices.Contains([]string{"upgrade", "dist-upgrade", "full-upgrade"}, in.command),
		in.command == "update" && !isApt.MatchString(program) && program != "apk":
		return []Need{{Key: "base.image", Advice: "a newer base: nothing upgrades the packages of a base"}}
	case isApt.MatchString(program) && slices.Contains([]string{"remove", "purge"}, in.command):
		return []Need{{Key: "base.packages", Advice: "leave out what is removed again"}}
	case !in.adds():
		return nil
	case isApt.MatchString(program):
		return []Need{{Key: "base.packages", Advice: in.apt()}}
	case !runtimeImage.MatchString(image), len(in.packages) == 0, slices.ContainsFunc(in.packages, isOther):
		const advice = "a base that has the packages, and no base.family; or base.packages on a base of Debian or Ubuntu"
		return []Need{{Key: "base.image", Advice: advice}}
	case hasExtra(image):
		return []Need{{Key: "base.family", Advice: "the -extra variant, which has ICU and time zones"}}
	}
	return []Need{{Key: "base.family", Advice: "none, as the default base has ICU and time zones"}}
}

// apt is the advice for an installation by apt.
func (in install) apt() string {
	var packages []string
	for _, p := range in.packages {
		if packageWord.MatchString(p) {
			if in.suite != "" && !strings.ContainsAny(p, "=/") {
				p += "/" + in.suite
			}
			packages = append(packages, p)
		}
	}
	advice := "[" + strings.Join(packages, ", ") + "]"
	if len(packages) == 0 || len(packages) < len(in.packages) { // a variable, or an archive
		advice = strings.TrimSpace(advice + " and the others by their names")
	}
	if in.recommends {
		advice += "; with recommends: true if the app needs what they recommend"
	}
	return strings.TrimPrefix(advice, "[] and ")
}
