// Package apt installs packages of Debian and Ubuntu onto images, and runs nothing of an image for another platform.
//
// Contract: [Request] is what a step of an installation gets, and [Program] is what it runs: see
// installer/Program.cs for the steps. [ParseList] reads what a step installed. This package knows the words of apt and
// dpkg, and package llb makes the steps.
//
// dpkg unpacks an archive of any architecture, if it has no scripts to run (dpkg(1), --unpack). What the scripts would
// do is taken from the twin: the same packages, installed with their scripts on the image for the build platform.
package apt

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/crosshull/crosshull/llb/dotnet"
)

//go:embed installer
var installer embed.FS

// Program installs packages.
var Program = dotnet.NewProgram("installer", installer)

// Commands of the program.
const (
	Resolve = "resolve" // ask apt what to install, and download it
	Install = "install" // install it with its scripts, on the image that the step runs in
	Unpack  = "unpack"  // unpack it without running its scripts
	Apply   = "apply"   // unpack it for another platform, and do what its scripts did to the twin
)

// Folders of the step.
const (
	TargetDir    = "/target"    // the image to install on
	StateDir     = "/state"     // what Resolve leaves
	UnpackedDir  = "/unpacked"  // what Unpack leaves
	InstalledDir = "/installed" // the twin
	PristineDir  = "/pristine"  // the image for the build platform, as it was
	KeysDir      = "/keys"      // the keys of sources
	SDKDir       = "/sdk"       // the image of the SDK, for its runtime
	ProgramDir   = "/installer"
	RequestDir   = "/request"
)

// Files that steps read or leave.
const (
	RequestFile = "request.json" // in RequestDir
	ListFile    = "packages.json"
	ErrorsFile  = "packages.log" // one mistake in each line
)

// Source is a source of packages beside those of the image: the lines of a file of sources.list.d(5).
type Source struct {
	Name string
	Text string
	Key  string // a file in KeysDir; empty: Text names the keys, or the image has them
}

// Packages are what to install on an image.
type Packages struct {
	// Install are names, with =VERSION or /SUITE behind them where one is asked for, as apt-get install takes them.
	Install    []string
	Recommends bool
	// Snapshot is the time of the archive; zero means now.
	Snapshot    time.Time
	Sources     []Source
	SkipScripts []string
}

// Request makes the RequestFile of a step. fixed is the time of all files that the step makes. A twin leaves out
// packages that its architecture does not have.
func (p Packages) Request(errorsDir string, fixed time.Time, twin bool) (dotnet.File, error) {
	type source struct {
		Name string `json:"name"`
		Text string `json:"text"`
		Key  string `json:"key"`
	}
	sources := []source{}
	for _, s := range p.Sources {
		key := ""
		if s.Key != "" {
			key = path.Join(KeysDir, s.Key)
		}
		sources = append(sources, source{s.Name, s.Text, key})
	}
	snapshot := ""
	if !p.Snapshot.IsZero() {
		snapshot = p.Snapshot.UTC().Format("20060102T150405Z")
	}
	dt, err := json.Marshal(map[string]any{
		"install":     append([]string{}, p.Install...),
		"recommends":  p.Recommends,
		"snapshot":    snapshot,
		"sources":     sources,
		"skipScripts": append([]string{}, p.SkipScripts...),
		"twin":        twin,
		"time":        fixed.Unix(),
		"target":      TargetDir,
		"state":       StateDir,
		"unpacked":    UnpackedDir,
		"installed":   InstalledDir,
		"pristine":    PristineDir,
		"errors":      path.Join(errorsDir, ErrorsFile),
	})
	return dotnet.File{Name: RequestFile, Data: dt}, err
}

// roots are the folders of an SDK image that can have .NET.
var roots = []string{
	"/usr/share/dotnet", "/usr/lib/dotnet", "/usr/lib64/dotnet", "/usr/local/share/dotnet", "/opt/dotnet",
}

// Args is the command of a step. root is the folder of .NET in the image of the SDK; empty if it is not known.
func Args(command, root string) []string {
	// The base can have settings of .NET for its apps, such as a profiler. They are not for this program.
	const run = `for name in $(env | sed -n 's/^\(\(DOTNET\|CORECLR\|COMPlus\)_[A-Za-z0-9_]*\)=.*/\1/p'); do
  unset "$name"
done
for root; do
  [ ! -x "$SDK$root/dotnet" ] || exec "$SDK$root/dotnet" exec "$PROGRAM" "$COMMAND" "$REQUEST"
done
echo "the image of the SDK has dotnet in none of $*" >&2
exit 2`
	script := strings.NewReplacer(
		"$SDK", SDKDir, "$PROGRAM", path.Join(ProgramDir, Program.Assembly()), "$COMMAND", command,
		"$REQUEST", path.Join(RequestDir, RequestFile),
	).Replace(run)
	args := []string{"sh", "-c", script, "sh"}
	if root != "" {
		args = append(args, root)
	}
	return append(args, roots...)
}

// Package is a package that was installed.
type Package struct {
	Name         string `json:"package"`
	Version      string `json:"version"`
	Architecture string `json:"architecture"`
	// Source is the source package, as the field of deb-control(5) has it: with its version in parentheses if that
	// differs. Empty: both are those of the package.
	Source string `json:"source"`
	SHA256 string `json:"sha256"`
}

// ParseList reads a ListFile.
func ParseList(dt []byte) ([]Package, error) {
	var all []Package
	if err := json.Unmarshal(dt, &all); err != nil {
		return nil, fmt.Errorf("list of packages: %w", err)
	}
	return all, nil
}

// lists matches the file of a list of packages. Its name is the address that the list is from, without the protocol:
// URItoFileName in apt-pkg/contrib/strutl.cc of apt.
var lists = regexp.MustCompile(StateDir + `/lists/(\S+?)(?:\.(?:lz4|gz|xz|zst|bz2|lzma))?(\s|$)`)

// ParseErrors gives the mistakes in an ErrorsFile. Those that name a list of packages come first: apt says what is
// wrong with a list before it says with which one. A list is named by its address, without the protocol.
func ParseErrors(dt []byte) []string {
	var ofLists, others []string
	for line := range strings.Lines(string(dt)) {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case lists.MatchString(line):
			ofLists = append(ofLists, lists.ReplaceAllStringFunc(line, func(file string) string {
				m := lists.FindStringSubmatch(file)
				address := strings.ReplaceAll(m[1], "_", "/")
				if plain, err := url.PathUnescape(address); err == nil {
					address = plain
				}
				return address + m[2]
			}))
		default:
			others = append(others, line)
		}
	}
	return append(ofLists, others...)
}
