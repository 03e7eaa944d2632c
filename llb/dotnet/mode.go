package dotnet

import (
	"fmt"
	"strings"
)

// Modes are the values of publish.mode, in the order that messages list them.
var Modes = []string{"portable", "apphost", "self-contained", "single-file", "ready-to-run", "trimmed", "aot"}

// Mode is how an app is published. The zero Mode is portable: one framework-dependent output for all platforms.
type Mode struct {
	AppHost       bool // a launcher per platform, beside an output that is portable or ReadyToRun
	SelfContained bool
	SingleFile    bool
	ReadyToRun    bool
	Trimmed       bool
	Aot           bool
}

// ParseMode reads values of publish.mode. Trimmed and AOT bring the runtime along, so they are self-contained too.
func ParseMode(names []string) (Mode, error) {
	var m Mode
	for _, name := range names {
		switch name {
		case "portable":
			if len(names) > 1 {
				return m, fmt.Errorf("portable stands alone: the other modes need an output for every platform")
			}
		case "apphost":
			m.AppHost = true
		case "self-contained":
			m.SelfContained = true
		case "single-file":
			m.SingleFile = true
		case "ready-to-run":
			m.ReadyToRun = true
		case "trimmed":
			m.Trimmed = true
		case "aot":
			m.Aot = true
		default:
			return m, fmt.Errorf("%q is not known: use %s", name, strings.Join(Modes, ", "))
		}
	}
	switch {
	case m.Aot && m.SingleFile:
		return m, fmt.Errorf("aot and single-file exclude each other: what aot makes is one file already")
	case m.Aot && m.ReadyToRun:
		return m, fmt.Errorf("aot and ready-to-run exclude each other: aot leaves no IL to compile ahead")
	case m.AppHost && (m.Aot || m.SelfContained || m.SingleFile || m.Trimmed):
		return m, fmt.Errorf("apphost goes with ready-to-run alone: the other modes have a launcher of their own")
	}
	m.complete()
	return m, nil
}

func (m *Mode) complete() {
	if m.Trimmed || m.Aot {
		m.SelfContained = true
	}
}

// modeProperties are the MSBuild properties by which a project asks for more than portable.
var modeProperties = []struct {
	name string
	set  func(*Mode)
}{
	{"PublishAot", func(m *Mode) { m.Aot = true }},
	{"PublishTrimmed", func(m *Mode) { m.Trimmed = true }},
	{"PublishSingleFile", func(m *Mode) { m.SingleFile = true }},
	{"PublishReadyToRun", func(m *Mode) { m.ReadyToRun = true }},
	{"SelfContained", func(m *Mode) { m.SelfContained = true }},
	{"PublishSelfContained", func(m *Mode) { m.SelfContained = true }},
}

// ModeProperties are the names of the properties by which a project asks for a mode.
func ModeProperties() []string {
	var names []string
	for _, p := range modeProperties {
		names = append(names, p.name)
	}
	return names
}

// modeOf reads the mode from the properties of a project. As in the SDK, AOT wins over the modes it makes meaningless:
// what PublishAot makes is a single file of machine code.
func modeOf(properties item) Mode {
	var m Mode
	for _, p := range modeProperties {
		if strings.EqualFold(properties[p.name], "true") {
			p.set(&m)
		}
	}
	if m.Aot {
		m.SingleFile, m.ReadyToRun = false, false
	}
	m.complete()
	return m
}

// PerPlatform tells whether every platform needs a publish of its own.
func (m Mode) PerPlatform() bool {
	return m.SelfContained || m.SingleFile || m.ReadyToRun
}

// Executable tells whether the app is started by a file of its own rather than by dotnet.
func (m Mode) Executable() bool { return m.AppHost || m.SelfContained || m.SingleFile }

// Launchers tells whether launchers are made apart, for an output that all platforms share.
func (m Mode) Launchers() bool { return m.AppHost && !m.PerPlatform() }

// String gives the values of publish.mode that say the same.
func (m Mode) String() string {
	var names []string
	for _, n := range []struct {
		name string
		on   bool
	}{
		{"apphost", m.AppHost},
		{"self-contained", m.SelfContained && !m.Trimmed && !m.Aot},
		{"single-file", m.SingleFile},
		{"ready-to-run", m.ReadyToRun},
		{"trimmed", m.Trimmed && !m.Aot},
		{"aot", m.Aot},
	} {
		if n.on {
			names = append(names, n.name)
		}
	}
	if len(names) == 0 {
		return "portable"
	}
	return strings.Join(names, ", ")
}

// properties make MSBuild do what the mode says, whatever the project says. Packs that it has no use for are not
// asked for: UseAppHost=false alone does not stop the download of the apphost (dotnet/sdk, ProcessFrameworkReferences).
func (m Mode) properties() []string {
	is := func(name string, on bool) string { return define(name, fmt.Sprint(on)) }
	args := []string{
		is("SelfContained", m.SelfContained),
		is("PublishAot", m.Aot),
		is("PublishSingleFile", m.SingleFile),
		is("PublishTrimmed", m.Trimmed || m.Aot),
		is("PublishReadyToRun", m.ReadyToRun),
	}
	if !m.PerPlatform() {
		args = append(args, define("EnableRuntimePackDownload", "false"))
	}
	// Without a publish per platform the launchers are made apart, see [AppHostArgs].
	args = append(args, is("UseAppHost", m.Executable() && m.PerPlatform()))
	if !m.Executable() {
		args = append(args, define("EnableAppHostPackDownload", "false"))
	}
	return args
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
