// Package feed serves folders of NuGet packages as a NuGet v3 source over HTTP.
//
// A Feed answers /v3/index.json, whose one resource is the package content resource, and below it the version list,
// the packages and their nuspec files. That is all `dotnet restore` asks for. Ids and versions are those of the nuspec
// inside each package; file names mean nothing. The folders are read once, by Open.
package feed

import (
	"archive/zip"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Index is the path of the service index, the URL path a NuGet source is configured with.
const Index = "/v3/index.json"

const flat = "/v3/flat/"

// A Feed is an http.Handler over a fixed set of packages.
type Feed struct {
	mux      *http.ServeMux
	packages map[string]map[string]pkg // by id and version, as URLs have them
}

type pkg struct {
	path   string // of the nupkg
	nuspec []byte
}

// Open indexes every *.nupkg in dirs. A package that several folders hold comes from the first of them.
func Open(dirs ...string) (*Feed, error) {
	f := &Feed{mux: http.NewServeMux(), packages: map[string]map[string]pkg{}}
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !strings.EqualFold(filepath.Ext(e.Name()), ".nupkg") {
				continue
			}
			if err := f.add(filepath.Join(dir, e.Name())); err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Join(dir, e.Name()), err)
			}
		}
	}
	f.mux.HandleFunc("GET "+Index, f.index)
	f.mux.HandleFunc("GET "+flat+"{id}/index.json", f.versions)
	f.mux.HandleFunc("GET "+flat+"{id}/{version}/{file}", f.file)
	return f, nil
}

// Len is the number of packages.
func (f *Feed) Len() int {
	n := 0
	for _, versions := range f.packages {
		n += len(versions)
	}
	return n
}

// ServeHTTP implements http.Handler.
func (f *Feed) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.mux.ServeHTTP(w, r) }

func (f *Feed) add(path string) error {
	nuspec, err := readNuspec(path)
	if err != nil {
		return err
	}
	var doc struct {
		ID      string `xml:"metadata>id"`
		Version string `xml:"metadata>version"`
	}
	if err := xml.Unmarshal(nuspec, &doc); err != nil {
		return fmt.Errorf("nuspec: %w", err)
	}
	id, version := strings.ToLower(strings.TrimSpace(doc.ID)), normalize(strings.TrimSpace(doc.Version))
	if id == "" || version == "" {
		return fmt.Errorf("nuspec has no id or no version")
	}
	if f.packages[id] == nil {
		f.packages[id] = map[string]pkg{}
	}
	if _, ok := f.packages[id][version]; !ok {
		f.packages[id][version] = pkg{path: path, nuspec: nuspec}
	}
	return nil
}

// readNuspec returns the one nuspec file a package has at its root.
func readNuspec(path string) ([]byte, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = z.Close() }()
	for _, entry := range z.File {
		if strings.Contains(entry.Name, "/") || !strings.EqualFold(filepath.Ext(entry.Name), ".nuspec") {
			continue
		}
		r, err := entry.Open()
		if err != nil {
			return nil, err
		}
		defer func() { _ = r.Close() }()
		return io.ReadAll(r)
	}
	return nil, fmt.Errorf("no nuspec at the root")
}

// normalize gives the form of a version that NuGet uses in URLs: no build metadata, three numbers, a fourth only if it
// is not zero, no leading zeros, lower case.
func normalize(version string) string {
	version, _, _ = strings.Cut(strings.ToLower(version), "+")
	release, label, pre := strings.Cut(version, "-")
	if release == "" {
		return ""
	}
	numbers := strings.Split(release, ".")
	for i, n := range numbers {
		numbers[i] = strings.TrimLeft(n, "0")
		if numbers[i] == "" {
			numbers[i] = "0"
		}
	}
	for len(numbers) < 3 {
		numbers = append(numbers, "0")
	}
	if len(numbers) == 4 && numbers[3] == "0" {
		numbers = numbers[:3]
	}
	release = strings.Join(numbers, ".")
	if pre {
		release += "-" + label
	}
	return release
}

func (f *Feed) index(w http.ResponseWriter, r *http.Request) {
	type resource struct {
		ID   string `json:"@id"`
		Type string `json:"@type"`
	}
	scheme := "http"
	if r.Header.Get("X-Forwarded-Proto") == "https" { // a proxy that speaks TLS is in front
		scheme = "https"
	}
	writeJSON(w, struct {
		Version   string     `json:"version"`
		Resources []resource `json:"resources"`
	}{"3.0.0", []resource{{scheme + "://" + r.Host + flat, "PackageBaseAddress/3.0.0"}}})
}

func (f *Feed) versions(w http.ResponseWriter, r *http.Request) {
	byVersion, ok := f.packages[r.PathValue("id")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	var versions []string
	for v := range byVersion {
		versions = append(versions, v)
	}
	slices.Sort(versions) // for a stable answer; clients order them by their own rules
	writeJSON(w, struct {
		Versions []string `json:"versions"`
	}{versions})
}

func (f *Feed) file(w http.ResponseWriter, r *http.Request) {
	id, version := r.PathValue("id"), r.PathValue("version")
	p, ok := f.packages[id][version]
	switch file := r.PathValue("file"); {
	case ok && file == id+"."+version+".nupkg":
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeFile(w, r, p.path)
	case ok && file == id+".nuspec":
		w.Header().Set("Content-Type", "application/xml")
		_, _ = w.Write(p.nuspec) // a client that went away is no error of ours
	default:
		http.NotFound(w, r)
	}
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // as above
}
