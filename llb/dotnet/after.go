package dotnet

import (
	_ "embed"
	"fmt"
	"path"
	"slices"
	"strings"
)

// sortScript sorts a folder that was published, and changed, into layers again.
//
//go:embed sort.sh
var sortScript string

// SortArgs is the command that sorts a folder into [Layers]. published is the output of the command of [PublishArgs].
// changed is all of its files in one folder, as commands of the user left them. The command leaves the same files as
// that of [PublishArgs] in Paths.Output, the report included.
func SortArgs(published, changed string, at Paths) []string {
	return []string{"sh", "-c", sortScript, "sh", published, changed, at.Output, at.Diagnostics}
}

// PublishedFolders are patterns of the folders in the output of a publish, in the order in which they are copied.
func PublishedFolders() []string {
	var patterns []string
	for _, layer := range Layers {
		pattern := "/[" + layer[:1] + "]" + layer[1:] // it may match nothing, as only a pattern may
		switch layer {
		case LayerLauncher: // made by its own step
		case LayerRuntimes:
			patterns = append(patterns, pattern+"/*")
		default:
			patterns = append(patterns, pattern)
		}
	}
	return patterns
}

// Machine is a program or a library in the output of a publish that commands of the user have made, and the
// architecture that it is for, as in a runtime identifier.
type Machine struct{ Architecture, Path string }

// machines are the architectures by the machine of an ELF file (elf(5), e_machine), as two bytes in hexadecimal.
var machines = map[string]string{
	"3e00": "x64", "b700": "arm64", "2800": "arm", "0300": "x86", "1500": "ppc64le", "0016": "s390x", "f300": "riscv64",
	"0201": "loongarch64",
}

// parseMachine reads a line of the report.
func parseMachine(line string) (m Machine, ok bool) {
	code, name, _ := strings.Cut(line, " ")
	architecture, ok := machines[code]
	return Machine{architecture, name}, ok
}

// WrongMachines says in words which of the files that commands made cannot run with a runtime identifier.
func WrongMachines(made []Machine, rid string) []string {
	var wrong []string
	for _, m := range made {
		if m.Architecture != architecture(rid) {
			text := fmt.Sprintf("%s is for %s, but the image is for %s", m.Path, m.Architecture, architecture(rid))
			wrong = append(wrong, text)
		}
	}
	slices.Sort(wrong)
	return wrong
}

// HostOutputs are patterns of what builds on the host leave beside the projects of a context, for when MSBuild has not
// said yet where.
func HostOutputs(names []Name) []string {
	var patterns []string
	for _, n := range names {
		if n.Folder || !IsProject(n.Path) || InOutputs(n.Path) {
			continue
		}
		for _, output := range outputFolders {
			patterns = append(patterns, Escape(path.Join(path.Dir(n.Path), output)))
		}
	}
	slices.Sort(patterns)
	return slices.Compact(patterns)
}

// ToolManifest is the manifest of local tools that the dotnet command finds first from a folder of the context, or
// nothing. files are patterns of what `dotnet tool restore` reads there: all manifests on the way up, and nuget.config.
func ToolManifest(names []Name, folder string) (manifest string, files []string) {
	known := map[string]bool{}
	for _, n := range names {
		known[n.Path] = !n.Folder
	}
	for dir := range foldersOf(path.Join(folder, "x")) {
		for _, name := range []string{".config/dotnet-tools.json", "dotnet-tools.json"} {
			if p := path.Join(dir, name); known[p] {
				files = append(files, Escape(p))
				if manifest == "" {
					manifest = p
				}
			}
		}
		if known[path.Join(dir, "global.json")] {
			files = append(files, escapeDir(dir)+"global.json")
		}
		files = append(files, escapeDir(dir)+nugetConfig)
	}
	return manifest, files
}

// ToolFolder is the folder that a manifest of local tools is for.
func ToolFolder(manifest string) string { return settingsDir(manifest) }

// ToolRestore is the line for a shell that restores local tools.
func ToolRestore(s NuGetSettings) string {
	if len(s.SecretFiles) > 0 && s.SecretFiles[0].Key == configSecretFile {
		return "dotnet tool restore --configfile " + configSecretFile
	}
	return "dotnet tool restore"
}
