package dotnet

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Native is a file of machine code in a package: runtimes/RID/native/NAME.
type Native struct{ Package, RID, Name string }

// parseNative reads a line of the report of publish. ok is false if the place of the file tells no runtime identifier.
func parseNative(line string) (n Native, ok bool) {
	parts := strings.Split(line, "/") // the name of the package has none
	if len(parts) < 5 || parts[1] != "runtimes" || parts[3] != "native" {
		return n, false
	}
	return Native{parts[0], parts[2], path.Base(line)}, true
}

// Unloadable says in words which files of packages an app cannot load on a platform. There are such files for other
// Linux platforms or for another C library. A file for a C library that its runtime identifier does not name, such as
// linux-x64, is for glibc. Files of the same name can come from several packages, one for each platform.
func Unloadable(natives []Native, rid string) []string {
	byName := map[string][]Native{}
	for _, n := range natives {
		byName[n.Name] = append(byName[n.Name], n)
	}
	isMusl := func(rid string) bool { return strings.HasPrefix(rid, "linux-musl") }
	var found []string
	for name, all := range byName {
		chosen := ""
		for _, id := range RuntimeIDs(rid) {
			if slices.ContainsFunc(all, func(n Native) bool { return n.RID == id }) {
				chosen = id
				break
			}
		}
		all = slices.DeleteFunc(all, func(n Native) bool {
			return n.RID != "linux" && !strings.HasPrefix(n.RID, "linux-") || strings.HasPrefix(n.RID, "linux-bionic")
		})
		glibc := isMusl(rid) && chosen == "linux-"+architecture(rid)
		if chosen != "" && !glibc || len(all) == 0 {
			continue
		}
		slices.SortFunc(all, func(a, b Native) int {
			return cmp.Or(strings.Compare(a.RID, b.RID), strings.Compare(a.Package, b.Package))
		})
		var ids []string
		for _, n := range all {
			ids = append(ids, n.RID)
		}
		text := fmt.Sprintf("%s of package %s is for %s", name, all[0].Package, strings.Join(slices.Compact(ids), ", "))
		if glibc {
			text += " (glibc)"
		}
		found = append(found, text+", and not for "+rid)
	}
	slices.Sort(found)
	return found
}
