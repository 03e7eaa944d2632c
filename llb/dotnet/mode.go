package dotnet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Mode is how an app is published: a set of the modes below, as [ParseMode] and MSBuild's answers make it. It can be
// compared. What follows from it is asked of its methods, which read the table of modes.
type Mode uint8

// Portable is the mode of one framework-dependent output for all platforms: the empty set.
const Portable Mode = 0

// The modes that a Mode is a set of.
const (
	AppHost Mode = 1 << iota // a launcher per platform, beside an output that is portable or ReadyToRun
	SelfContained
	SingleFile
	ReadyToRun
	Trimmed
	Aot
)

// modeFacts are what is known of a mode: a row of the table.
type modeFacts struct {
	mode Mode
	name string // value of publish.mode
	// properties are those by which a project asks for the mode. The first is the one that makes MSBuild do it.
	properties []string
	brings     Mode        // the modes that are part of it
	excludes   []exclusion // a project's properties may name them: they mean nothing then
	// perPlatform: every platform needs a publish of its own, with the runtime pack of its runtime identifier. No other
	// mode asks for that pack.
	perPlatform bool
	// executable: the app is started by a file of its own, not by dotnet. That is made of the apphost pack, which no
	// other mode asks for.
	executable bool
	// runtime: the app brings the runtime, so its base is one of dotnet/runtime-deps, not of dotnet/runtime or
	// dotnet/aspnet.
	runtime bool
	// linker: publish needs a toolchain. What that links is launcher and runtime in one.
	linker bool
}

// exclusion is why a mode does not go with others.
type exclusion struct {
	with Mode
	why  string
}

// modes is the table of modes, in the order that messages list them. A mode that brings others comes after those.
var modes = []modeFacts{
	{
		mode: AppHost, name: "apphost", executable: true,
		excludes: []exclusion{{
			SelfContained | SingleFile | Trimmed | Aot,
			"apphost goes with ready-to-run alone: the other modes have a launcher of their own",
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
			{SingleFile, "aot and single-file exclude each other: what aot makes is one file already"},
			{ReadyToRun, "aot and ready-to-run exclude each other: aot leaves no IL to compile ahead"},
		},
	},
}

const portableName = "portable"

// Modes are the values of publish.mode, in the order that messages list them.
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
				return m, errors.New("portable stands alone: the other modes need an output for every platform")
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

// modeOf reads the mode from the properties of a project. Where they ask for modes that exclude each other, the one
// that makes the others meaningless wins, as in the SDK.
func modeOf(properties item) Mode {
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

// facts are the rows of the table for the modes of m.
func (m Mode) facts() []modeFacts {
	return slices.DeleteFunc(slices.Clone(modes), func(f modeFacts) bool { return m&f.mode == 0 })
}

// complete adds the modes that others bring.
func (m Mode) complete() Mode {
	for _, f := range m.facts() {
		m |= f.brings
	}
	return m
}

// ModeProperties are the names of the properties by which a project asks for a mode, those of the mode that brings most
// first.
func ModeProperties() []string {
	var names []string
	for _, f := range slices.Backward(modes) {
		names = append(names, f.properties...)
	}
	return names
}

func (m Mode) has(fact func(modeFacts) bool) bool { return slices.ContainsFunc(m.facts(), fact) }

// PerPlatform tells whether every platform needs a publish of its own.
func (m Mode) PerPlatform() bool { return m.has(func(f modeFacts) bool { return f.perPlatform }) }

// Executable tells whether the app is started by a file of its own rather than by dotnet.
func (m Mode) Executable() bool { return m.has(func(f modeFacts) bool { return f.executable }) }

// Launchers tells whether launchers are made apart, for an output that all platforms share.
func (m Mode) Launchers() bool { return m.Executable() && !m.PerPlatform() }

// NeedsRIDs tells whether what is restored and published depends on the runtime identifiers of the platforms.
func (m Mode) NeedsRIDs() bool { return m.PerPlatform() || m.Launchers() }

// BringsRuntime tells whether the runtime is part of the app, so that its base need be no more than
// dotnet/runtime-deps.
func (m Mode) BringsRuntime() bool { return m.has(func(f modeFacts) bool { return f.runtime }) }

// NeedsToolchain tells whether publish links machine code: then [Toolchain] says with which image, and [CheckToolchain]
// whether it can.
func (m Mode) NeedsToolchain() bool { return m.has(func(f modeFacts) bool { return f.linker }) }

// String gives the values of publish.mode that say the same.
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

// argumentOrder is the order in which commands have the properties of modes. It is part of what BuildKit knows a step
// by.
var argumentOrder = []Mode{SelfContained, Aot, SingleFile, Trimmed, ReadyToRun}

// properties make MSBuild do what the mode says, whatever the project says. Packs that it has no use for are not
// asked for: UseAppHost=false alone does not stop the download of the apphost (dotnet/sdk, ProcessFrameworkReferences).
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
	// Without a publish per platform the launchers are made apart, see [AppHostArgs].
	properties = append(properties, is("UseAppHost", m.Executable() && m.PerPlatform()))
	if !m.Executable() {
		properties = append(properties, is("EnableAppHostPackDownload", false))
	}
	return properties
}

// RuntimeIDs are the runtime identifiers whose assets a platform can use, from the one of its base image to the most
// general, as in the runtime's own list since .NET 8 (dotnet/runtime, corehost rid_fallback_graph).
func RuntimeIDs(rid string) []string {
	arch := rid[strings.LastIndexByte(rid, '-')+1:]
	ids := []string{rid}
	if strings.HasPrefix(rid, "linux-musl-") {
		ids = append(ids, "linux-musl", "linux-"+arch)
	}
	ids = append(ids, "linux", "unix-"+arch, "unix", "any", "base")
	return ids
}
