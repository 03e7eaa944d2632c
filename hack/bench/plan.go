package bench

import (
	"regexp"
	"slices"
	"strings"
)

// A contender is a way to make images, or a part of one to compare with.
type contender string

const (
	// crosshull builds a crosshull.yaml with the frontend image.
	crosshull contender = "crosshull"
	// seed is the Dockerfile with TARGETARCH that Microsoft's samples show.
	seed contender = "seed"
	// seedMounts is seed with a cache mount for packages.
	// On a fresh builder it fails: the cache has its restore, and the mount, which no cache has, is empty.
	seedMounts contender = "seed+mounts"
	// portable is the best Dockerfile: it compiles once for all platforms.
	portable contender = "portable"
	// apt is portable with apt-get in its last stage. It builds for amd64 alone: there, other platforms need an emulator.
	apt contender = "apt"
	// syntax is seed with BuildKit's own frontend run from an image, as crosshull's has to be.
	syntax contender = "syntax"
	// sdk is dotnet publish -t:PublishContainer on the host.
	sdk contender = "sdk"
	// floor is dotnet restore and publish on the host, with no image.
	floor contender = "floor"
)

// onHost tells whether c runs the SDK of the host in the place of a build by BuildKit.
func (c contender) onHost() bool { return c == sdk || c == floor }

// A situation is what has changed since the build before.
type situation string

const (
	// cold: nothing was ever built.
	cold situation = "cold"
	// nothing: nothing changed.
	nothing situation = "nothing changed"
	// edit: a line of the app's source changed.
	edit situation = "app line changed"
	// deep: a line of a method's body changed, in a library that the app reaches through four others.
	deep situation = "deep library changed"
	// pack: the version of a package changed.
	pack situation = "package changed"
	// osPack: the image gets one more package of its base's system.
	osPack situation = "OS packages changed"
	// rebase: the base image moved to another one.
	rebase situation = "base moved"
	// fresh: a line of the app's source changed, and the builder is new, with the cache in a registry.
	fresh situation = "fresh builder"
)

// situations are in the order of a round: each builds on what the ones before it left.
var situations = []situation{cold, nothing, edit, deep, pack, osPack, rebase, fresh}

// repeats tells how often a round has s: what takes less than a second is measured several times.
func (s situation) repeats() int {
	if s == nothing {
		return 5
	}
	return 1
}

// The modes of publishing, as publish.mode has them.
const (
	modePortable      = "portable"
	modeAppHost       = "apphost"
	modeSelfContained = "self-contained"
	modeReadyToRun    = "ready-to-run"
)

// platforms are those of a build, as --platform has them.
type platforms string

const (
	one   platforms = "linux/amd64"
	two   platforms = "linux/amd64,linux/arm64"
	three platforms = "linux/amd64,linux/arm64,linux/arm/v7" // for arm/v7 there are no packs: portable mode alone
)

func (p platforms) list() []string { return strings.Split(string(p), ",") }

// String is short: amd64+arm64.
func (p platforms) String() string {
	return strings.ReplaceAll(strings.ReplaceAll(string(p), "linux/", ""), ",", "+")
}

// An entrant is a contender that builds for certain platforms, in certain situations.
type entrant struct {
	contender  contender
	platforms  platforms
	situations []situation
}

func (e entrant) takesPart(s situation) bool { return slices.Contains(e.situations, s) }

func (e entrant) is(other entrant) bool {
	return e.contender == other.contender && e.platforms == other.platforms
}

// An experiment is a project in a mode, and who builds it.
type experiment struct {
	project  string
	mode     string
	entrants []entrant
}

// plan is all that is measured. The 50 libraries in portable mode are the bulk of its time: a Dockerfile compiles them
// once for every platform. So there the contenders are those that the goals name, and a package changes for few.
var plan = []experiment{
	{aspnetapp, modePortable, []entrant{
		{crosshull, one, []situation{cold}},
		{crosshull, two, []situation{cold, nothing, edit, pack, rebase, fresh}},
		{crosshull, three, []situation{cold, nothing, edit, pack, rebase, fresh}},
		{seed, two, []situation{cold, nothing, edit, pack, rebase, fresh}},
		{seed, three, []situation{cold, nothing, edit, pack, rebase, fresh}},
		{seedMounts, two, []situation{cold, edit, pack}},
		{portable, three, []situation{cold, nothing, edit, pack, rebase, fresh}},
		{syntax, two, []situation{nothing}},
		{syntax, three, []situation{nothing}},
		{sdk, two, []situation{cold}},
		{floor, one, []situation{cold}},
	}},
	{libraries50, modePortable, []entrant{
		{crosshull, one, []situation{cold}},
		{crosshull, two, []situation{cold, nothing, edit, deep, rebase, fresh}},
		{crosshull, three, []situation{cold, nothing, edit, deep, pack, rebase, fresh}},
		{seed, two, []situation{cold, nothing, edit, deep, rebase, fresh}},
		{seed, three, []situation{cold, nothing, edit, deep, rebase, fresh}},
		{portable, three, []situation{cold, nothing, edit, deep, pack, rebase, fresh}},
		{sdk, two, []situation{cold}},
		{floor, one, []situation{cold}},
	}},
	{dotnetapp, modePortable, []entrant{
		{crosshull, two, []situation{cold, nothing, edit}},
		{crosshull, three, []situation{cold, nothing, edit}},
		{seed, two, []situation{cold, nothing, edit}},
		{portable, three, []situation{cold, nothing, edit}},
	}},
	{sqlite, modePortable, []entrant{
		{crosshull, two, []situation{cold, edit, pack}},
		{crosshull, three, []situation{cold, edit, pack}},
		{seed, two, []situation{cold, edit, pack}},
		{seedMounts, two, []situation{cold, edit, pack}},
		{portable, three, []situation{cold, edit, pack}},
	}},
	{ospackages, modePortable, []entrant{
		{crosshull, one, []situation{cold, edit, osPack}},
		{crosshull, three, []situation{cold, edit, osPack}},
		{apt, one, []situation{cold, edit, osPack}},
	}},
	{aspnetapp, modeAppHost, perPlatform},
	{aspnetapp, modeSelfContained, perPlatform},
	{aspnetapp, modeReadyToRun, perPlatform},
}

// perPlatform is who takes part where the published files are, or have, what is for one platform alone.
var perPlatform = []entrant{
	{crosshull, one, []situation{cold}},
	{crosshull, two, []situation{cold, edit}},
	{seed, two, []situation{cold, edit}},
}

// A pair is what a ratio is made of: crosshull, and what it is compared with.
type pair struct {
	subject, against entrant
	situation        situation
}

// name is what the report calls the other side.
func (p pair) name() string {
	if p.against.contender == crosshull {
		return "crosshull, " + p.against.platforms.String()
	}
	return string(p.against.contender)
}

// caseName is what the report calls a project in a mode for platforms.
func (x experiment) caseName(p platforms) string {
	return strings.Join([]string{x.project, x.mode, p.String()}, ", ")
}

// pairs are crosshull and every other contender for the same platforms, crosshull for several platforms and for one,
// and crosshull for any platforms and apt.
func (x experiment) pairs() []pair {
	var out []pair
	for _, s := range situations {
		for _, c := range x.entrants {
			if c.contender != crosshull || !c.takesPart(s) {
				continue
			}
			for _, other := range x.entrants {
				sameJob := other.contender != crosshull && other.platforms == c.platforms
				fewer := other.contender == crosshull && other.platforms == one && c.platforms != one
				if other.takesPart(s) && (sameJob || fewer || other.contender == apt) {
					out = append(out, pair{c, other, s})
				}
			}
		}
	}
	return out
}

// Filter leaves pairs out: each expression that is set has to match. Case has the form "PROJECT, MODE, PLATFORMS".
type Filter struct {
	Case, Situation, Against *regexp.Regexp
}

// Complete tells whether f leaves nothing out.
func (f Filter) Complete() bool { return f == Filter{} }

func (f Filter) matches(x experiment, p pair) bool {
	ok := func(re *regexp.Regexp, text string) bool { return re == nil || re.MatchString(text) }
	return ok(f.Case, x.caseName(p.subject.platforms)) && ok(f.Situation, string(p.situation)) && ok(f.Against, p.name())
}

// apply gives the part of all that is needed for the pairs that match.
func (f Filter) apply(all []experiment) []experiment {
	var out []experiment
	for _, x := range all {
		kept := experiment{project: x.project, mode: x.mode}
		for _, e := range x.entrants {
			taken := e
			taken.situations = nil
			for _, p := range x.pairs() {
				if f.matches(x, p) && (p.subject.is(e) || p.against.is(e)) && !slices.Contains(taken.situations, p.situation) {
					taken.situations = append(taken.situations, p.situation)
				}
			}
			if taken.situations != nil {
				kept.entrants = append(kept.entrants, taken)
			}
		}
		if kept.entrants != nil {
			out = append(out, kept)
		}
	}
	return out
}
