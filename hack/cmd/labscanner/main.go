// Command labscanner stands in for docker/buildkit-syft-scanner, if the registry that has it cannot be reached. It
// follows the same protocol (docs/attestations/sbom-protocol.md of moby/buildkit), and finds what is easy to find in a
// file system: Debian's packages, and the packages in *.deps.json of .NET. It is for tests alone.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	if err := scan(os.Getenv("BUILDKIT_SCAN_SOURCE"), os.Getenv("BUILDKIT_SCAN_SOURCE_EXTRAS"),
		os.Getenv("BUILDKIT_SCAN_DESTINATION")); err != nil {
		fmt.Fprintln(os.Stderr, "labscanner:", err)
		os.Exit(1)
	}
}

// scan writes a document for the folder core, and one for each folder in extras, if that is there.
func scan(core, extras, destination string) error {
	if core == "" || destination == "" {
		return errors.New("BUILDKIT_SCAN_SOURCE and BUILDKIT_SCAN_DESTINATION have to be set")
	}
	targets := []string{core}
	if entries, err := os.ReadDir(extras); err == nil {
		for _, e := range entries {
			targets = append(targets, filepath.Join(extras, e.Name()))
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, target := range targets {
		found, err := find(target)
		if err != nil {
			return err
		}
		dt, err := statement(filepath.Base(target), found)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(destination, filepath.Base(target)+".spdx.json"), dt, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// find gives the package URLs of what is in a folder.
func find(dir string) ([]string, error) {
	found := map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		var read func([]byte) ([]string, error)
		switch {
		case rel == "var/lib/dpkg/status", filepath.Dir(rel) == "var/lib/dpkg/status.d":
			read = debian
		case strings.HasSuffix(rel, ".deps.json"):
			read = deps
		default:
			return nil
		}
		dt, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		purls, err := read(dt)
		if err != nil {
			return fmt.Errorf("%s: %w", rel, err)
		}
		for _, purl := range purls {
			found[purl] = true
		}
		return nil
	})
	return slices.Sorted(maps.Keys(found)), err
}

// debian reads dpkg's list of packages.
func debian(dt []byte) ([]string, error) {
	var purls []string
	var name string
	sc := bufio.NewScanner(bytes.NewReader(dt))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		if v, ok := strings.CutPrefix(sc.Text(), "Package: "); ok {
			name = v
		}
		if v, ok := strings.CutPrefix(sc.Text(), "Version: "); ok {
			purls = append(purls, "pkg:deb/debian/"+name+"@"+v)
		}
	}
	return purls, sc.Err()
}

// deps reads the packages in the deps.json of an app.
func deps(dt []byte) ([]string, error) {
	var file struct {
		Libraries map[string]struct{ Type string }
	}
	if err := json.Unmarshal(dt, &file); err != nil {
		return nil, err
	}
	var purls []string
	for key, l := range file.Libraries {
		if l.Type == "package" || l.Type == "runtimepack" {
			purls = append(purls, "pkg:nuget/"+strings.Replace(strings.TrimPrefix(key, "runtimepack."), "/", "@", 1))
		}
	}
	return purls, nil
}

var notInID = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// statement is an in-toto statement with an SPDX document.
func statement(name string, purls []string) ([]byte, error) {
	type object map[string]any
	packages := []object{}
	relationships := []object{}
	for i, purl := range purls {
		id := fmt.Sprintf("SPDXRef-%d-%s", i, notInID.ReplaceAllString(purl, "-"))
		of, version, _ := strings.Cut(purl, "@")
		packages = append(packages, object{
			"SPDXID": id, "name": filepath.Base(of), "versionInfo": version, "downloadLocation": "NOASSERTION",
			"filesAnalyzed": false,
			"externalRefs": []object{
				{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl},
			},
		})
		relationships = append(
			relationships,
			object{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": id},
		)
	}
	return json.Marshal(object{
		"_type":         "https://in-toto.io/Statement/v0.1",
		"predicateType": "https://spdx.dev/Document",
		"predicate": object{
			"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": name,
			"documentNamespace": "https://spdx.org/spdxdocs/labscanner/" + name,
			"creationInfo":      object{"created": "1980-01-01T00:00:00Z", "creators": []string{"Tool: labscanner"}},
			"packages":          packages,
			"relationships":     relationships,
		},
	})
}
