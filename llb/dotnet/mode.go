package dotnet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mode is how an app is published: a set of the modes below, made by [ParseMode] or from MSBuild's answers. You can
// compare Modes. Its methods answer all further questions from the table of modes.
type Mode uint8

// Portable is the empty set: one framework-dependent output for all platforms.
const Portable Mode = 0

// The modes that a Mode is a set of.
const (
	AppHost Mode = 1 << iota // a launcher per platform, beside portable or ReadyToRun output
	SelfContained
	SingleFile
	ReadyToRun
	Trimmed
	Aot
)

// modeFacts is a row of the table: what is known about a mode.
type modeFacts struct {
	mode Mode
	name string // value of publish.mode
	// properties are the properties by which a project asks for the mode. The first one makes MSBuild do it.
	properties []string
	brings     Mode        // the modes that it includes
	excludes   []exclusion // a project's properties may name them: they have no effect then
	// perPlatform: every platform needs its own publish, with the runtime pack of its runtime identifier. No other mode
	// needs that pack.
	perPlatform bool
	// executable: a file of the app's own starts it, not dotnet. The apphost pack provides that file, and no other mode
	// needs that pack.
	executable bool
	// runtime: the app brings the runtime, so its base is a dotnet/runtime-deps image, not dotnet/runtime or
	// dotnet/aspnet.
	runtime bool
	// linker: publish needs a toolchain. The linked file is launcher and runtime in one.
	linker bool
}

// exclusion says why a mode does not go with others.
type exclusion struct {
	with Mode
	why  string
}

// modes is the table of modes, in the order of messages. A mode that includes others comes after them.
var modes = []modeFacts{
	{
		mode: AppHost, name: "apphost", executable: true,
		excludes: []exclusion{{
			SelfContained | SingleFile | Trimmed | Aot,
			"apphost goes with ready-to-run only: remove it, as the other modes have a launcher of their own",
		}},
	},
	{
		mode: SelfContained, name: "self-contained", properties: []string{"SelfContained", "PublishSelfContained"},
		perPlatform: true, executable: true, runtime: true,
	},
	{
		mode: SingleFile, name: "single-file", properties: []string{"PublishSingleFile"},
		perPlatform: true, executable: true,
	},
	{
		mode: ReadyToRun, name: "ready-to-run", properties: []string{"PublishReadyToRun"},
		perPlatform: true,
	},
	{
		mode: Trimmed, name: "trimmed", properties: []string{"PublishTrimmed"}, brings: SelfContained,
	},
	{
		mode: Aot, name: "aot", properties: []string{"PublishAot"}, brings: SelfContained | Trimmed, linker: true,
		excludes: []exclusion{
			{SingleFile, "aot and single-file cannot be combined: keep aot, which makes one file already"},
			{ReadyToRun, "aot and ready-to-run cannot be combined: keep aot, which compiles everything already"},
		},
	},
}

const portableName = "portable"

// Modes are the values of publish.mode, in the order of messages.
func Modes() []string {
	names := []string{portableName}
	for _, f := range modes {
		names = append(names, f.name)
	}
	return names
}

// ParseMode reads values of publish.mode.
func ParseMode(names []string) (Mode, error) {
	var m Mode
	for _, name := range names {
		if name == portableName {
			if len(names) > 1 {
				return m, errors.New("portable cannot be combined with other modes: keep it for one output for all " +
					"platforms, or remove it to publish for each platform")
			}
			continue
		}
		i := slices.IndexFunc(modes, func(f modeFacts) bool { return f.name == name })
		if i < 0 {
			return m, fmt.Errorf("%q is not known: use %s", name, strings.Join(Modes(), ", "))
		}
		m |= modes[i].mode
	}
	for _, f := range m.facts() {
		for _, e := range f.excludes {
			if m&e.with != 0 {
				return m, errors.New(e.why)
			}
		}
	}
	return m.complete(), nil
}

// modeOf reads the mode from the properties of a project. If they ask for modes that exclude each other, the one that
// makes the others meaningless wins, as in the SDK.
func modeOf(properties map[string]string) Mode {
	var m Mode
	isTrue := func(name string) bool { return strings.EqualFold(properties[name], "true") }
	for _, f := range modes {
		if slices.ContainsFunc(f.properties, isTrue) {
			m |= f.mode
		}
	}
	for _, f := range m.facts() {
		for _, e := range f.excludes {
			m &^= e.with
		}
	}
	return m.complete()
}

// facts returns the rows of the table for the modes of m.
func (m Mode) facts() []modeFacts {
	return slices.DeleteFunc(slices.Clone(modes), func(f modeFacts) bool { return m&f.mode == 0 })
}

// complete adds the modes that others include.
func (m Mode) complete() Mode {
	for _, f := range m.facts() {
		m |= f.brings
	}
	return m
}

// ModeProperties are the names of the properties by which a project asks for a mode. The mode that includes most comes
// first.
func ModeProperties() []string {
	var names []string
	for _, f := range slices.Backward(modes) {
		names = append(names, f.properties...)
	}
	return names
}

func (m Mode) has(fact func(modeFacts) bool) bool { return slices.ContainsFunc(m.facts(), fact) }

// PerPlatform tells whether every platform needs its own publish.
func (m Mode) PerPlatform() bool { return m.has(func(f modeFacts) bool { return f.perPlatform }) }

// Executable tells whether a file of the app's own starts it, rather than dotnet.
func (m Mode) Executable() bool { return m.has(func(f modeFacts) bool { return f.executable }) }

// Launchers tells whether a separate step makes launchers, for an output that all platforms share.
func (m Mode) Launchers() bool { return m.Executable() && !m.PerPlatform() }

// NeedsRIDs tells whether restore and publish depend on the runtime identifiers of the platforms.
func (m Mode) NeedsRIDs() bool { return m.PerPlatform() || m.Launchers() }

// BringsRuntime tells whether the app includes the runtime, so that dotnet/runtime-deps is enough as its base.
func (m Mode) BringsRuntime() bool { return m.has(func(f modeFacts) bool { return f.runtime }) }

// NeedsToolchain tells whether publish links machine code. Then [Toolchain] names the image for that, and
// [CheckToolchain] says whether it can.
func (m Mode) NeedsToolchain() bool { return m.has(func(f modeFacts) bool { return f.linker }) }

// String returns the values of publish.mode for m.
func (m Mode) String() string {
	var brought Mode
	for _, f := range m.facts() {
		brought |= f.brings
	}
	var names []string
	for _, f := range (m &^ brought).facts() {
		names = append(names, f.name)
	}
	if len(names) == 0 {
		return portableName
	}
	return strings.Join(names, ", ")
}

// argumentOrder is the order of the properties of modes in commands. BuildKit's cache keys depend on it.
var argumentOrder = []Mode{SelfContained, Aot, SingleFile, Trimmed, ReadyToRun}

// properties make MSBuild do what the mode says, whatever the project says. They also keep MSBuild from downloading
// packs that the mode does not need: UseAppHost=false alone does not stop the download of the apphost (dotnet/sdk,
// ProcessFrameworkReferences).
func (m Mode) properties() []KeyValue {
	is := func(name string, on bool) KeyValue { return KeyValue{name, fmt.Sprint(on)} }
	var properties []KeyValue
	for _, mode := range argumentOrder {
		for _, f := range mode.facts() {
			properties = append(properties, is(f.properties[0], m&mode != 0))
		}
	}
	if !m.PerPlatform() {
		properties = append(properties, is("EnableRuntimePackDownload", false))
	}
	// Without a publish per platform, a separate step makes the launchers: see [AppHostArgs].
	properties = append(properties, is("UseAppHost", m.Executable() && m.PerPlatform()))
	if !m.Executable() || m.Launchers() {
		properties = append(properties, is("EnableAppHostPackDownload", false))
	}
	return properties
}

// RuntimeIDs are the runtime identifiers whose assets a platform can use. They go from the identifier of its base image
// to the most general one, as in the runtime's own list since .NET 8 (dotnet/runtime, corehost rid_fallback_graph).
func RuntimeIDs(rid string) []string {
	arch := rid[strings.LastIndexByte(rid, '-')+1:]
	ids := []string{rid}
	if strings.HasPrefix(rid, "linux-musl-") {
		ids = append(ids, "linux-musl", "linux-"+arch)
	}
	ids = append(ids, "linux", "unix-"+arch, "unix", "any", "base")
	return ids
}
