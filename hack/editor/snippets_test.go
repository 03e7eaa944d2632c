package editor

import (
	"bytes"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/frontend/spec"
)

// A dependency is what Renovate finds.
type dependency struct{ name, value, digest string }

// manager is the custom manager in renovate.json.
type manager struct {
	files    *regexp.Regexp
	patterns [2]*regexp.Regexp
}

// Renovate finds every image that a spec names, the frontend before all.
func TestRenovate(t *testing.T) {
	m := renovate(t)
	for file, want := range map[string]bool{
		"crosshull.yaml": true, "src/web/crosshull.yaml": true, "web.crosshull.yaml": true, "src/web.crosshull.yml": true,
		"mycrosshull.yaml": false, "crosshull.yaml.md": false, "docker-compose.yaml": false,
	} {
		if m.files.MatchString(file) != want {
			t.Errorf("%s: it is read: %t, want %t", file, !want, want)
		}
	}
	frontend := dependency{"ghcr.io/crosshull/crosshull", "1", ""}
	for name, dt := range specs(t) {
		got := m.find(dt)
		if len(got) == 0 || got[0] != frontend {
			t.Errorf("%s: found are %v, and not the frontend", name, got)
		}
		s, err := spec.Parse([]byte(dt), nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if want := images(s); len(got)-1 != want {
			t.Errorf("%s: found are %v, and it names %d images", name, got, want)
		}
	}
	digest := "sha256:" + strings.Repeat("0123456789abcdef", 4)
	for _, tc := range []struct {
		name, in string
		want     []dependency
	}{
		{"digest of the frontend", "# syntax=ghcr.io/crosshull/crosshull:1@" + digest + "\n",
			[]dependency{{"ghcr.io/crosshull/crosshull", "1", digest}}},
		{"a port", "# syntax = localhost:5000/crosshull:1\r\n", []dependency{{"localhost:5000/crosshull", "1", ""}}},
		{"not line 1", "\n# syntax=ghcr.io/crosshull/crosshull:1\n", nil},
		{"sdk and base",
			"sdk:\n  image: mcr.microsoft.com/dotnet/sdk:10.0@" + digest +
				" # pinned\nbase:\n  image: 'mcr.microsoft.com/dotnet/aspnet:10.0-alpine'\n",
			[]dependency{{"mcr.microsoft.com/dotnet/sdk", "10.0", digest},
				{"mcr.microsoft.com/dotnet/aspnet", "10.0-alpine", ""}}},
		{"in one line", `base: {image: "example.com:5000/base@` + digest + `"}` + "\n",
			[]dependency{{"example.com:5000/base", "", digest}}},
		{"in an app", "apps:\n  web: {base: {image: example.com/a:1}, image: {user: app}}\n",
			[]dependency{{"example.com/a", "1", ""}}},
		{"section of that name", "image:\n  user: app\n", nil},
		{"build argument", "base:\n  image: ${BASE}\nsdk:\n  image: example.com/${SDK}:1\n", nil},
	} {
		if got := m.find(tc.in); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s: found are %v, want %v", tc.name, got, tc.want)
		}
	}
}

// images is how many images a spec names.
func images(s *spec.Spec) int {
	references := []string{s.SDK.Image, s.SDK.Toolchain, s.Base.Image}
	add := func(app *spec.App) {
		for _, tool := range app.Publish.Tools {
			references = append(references, tool.Image)
		}
		for _, f := range app.Files {
			references = append(references, f.Image)
		}
	}
	if len(s.Apps) == 0 {
		add(&s.App)
	}
	for _, app := range s.Apps {
		if len(s.Publish.Tools)+len(s.Files) == 0 {
			add(app)
		}
		if app.Base.Image != s.Base.Image { // what all have is there once
			references = append(references, app.Base.Image)
		}
	}
	n := 0
	for _, r := range references {
		if r != "" {
			n++
		}
	}
	return n
}

// renovate reads the file as Renovate does, which has the expressions of RE2, as Go has.
func renovate(t *testing.T) *manager {
	t.Helper()
	var config struct {
		Schema         string `json:"$schema"`
		CustomManagers []struct {
			CustomType, Description, MatchStringsStrategy, DatasourceTemplate, AutoReplaceStringTemplate string
			ManagerFilePatterns, MatchStrings                                                            []string
		}
	}
	decode(t, "renovate.json", &config)
	if len(config.CustomManagers) != 1 {
		t.Fatalf("%d managers", len(config.CustomManagers))
	}
	c := config.CustomManagers[0]
	if c.CustomType != "regex" || c.MatchStringsStrategy != "recursive" || c.DatasourceTemplate != "docker" ||
		len(c.ManagerFilePatterns) != 1 || len(c.MatchStrings) != 2 {
		t.Fatalf("this test knows nothing of %+v", c)
	}
	m := &manager{files: regexp.MustCompile(strings.TrimSuffix(strings.TrimPrefix(c.ManagerFilePatterns[0], "/"), "/"))}
	for i, s := range c.MatchStrings {
		m.patterns[i] = regexp.MustCompile(s)
	}
	return m
}

// find does what the strategy "recursive" says: the second expression is looked for in what the first one has matched.
// What the second has matched is replaced, so it must be the reference and no more.
func (m *manager) find(dt string) []dependency {
	var out []dependency
	for _, outer := range m.patterns[0].FindAllString(dt, -1) {
		for _, inner := range m.patterns[1].FindAllStringSubmatch(outer, -1) {
			group := func(name string) string { return inner[m.patterns[1].SubexpIndex(name)] }
			d := dependency{group("depName"), group("currentValue"), group("currentDigest")}
			reference := d.name
			if d.value != "" {
				reference += ":" + d.value
			}
			if d.digest != "" {
				reference += "@" + d.digest
			}
			if inner[0] != reference {
				d.name = "not " + inner[0]
			}
			out = append(out, d)
		}
	}
	return out
}

// The entry for SchemaStore, the schema and the documentation have one address for it, and names that specs have.
func TestSchemaStore(t *testing.T) {
	var entry struct {
		Name, Description, URL string
		FileMatch              []string
	}
	decode(t, "schemastore.json", &entry)
	var schema struct {
		ID string `json:"$id"`
	}
	if err := json.Unmarshal(spec.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	if entry.URL != schema.ID {
		t.Errorf("the entry has %s, and the schema %s", entry.URL, schema.ID)
	}
	each(t, []string{"examples/*/crosshull.yaml"}, func(file, _ string) {
		matched := false
		for _, pattern := range entry.FileMatch {
			ok, err := path.Match(pattern, path.Base(file))
			if err != nil {
				t.Error(err)
			}
			matched = matched || ok
		}
		if !matched {
			t.Errorf("%s is not matched by %v", file, entry.FileMatch)
		}
	})
	each(t, []string{"docs/howto/editor.md"}, func(page, dt string) {
		if !strings.Contains(dt, "\n# yaml-language-server: $schema="+schema.ID+"\n") {
			t.Errorf("%s does not show the line with the address", page)
		}
		for _, m := range codeBlock.FindAllStringSubmatch(dt, -1) {
			if m[1] == "json" && !json.Valid([]byte(m[2])) {
				t.Errorf("%s: no JSON: %s", page, m[2])
			}
		}
	})
}

// decode reads a snippet, which has what v has and no more.
func decode(t *testing.T, name string, v any) {
	t.Helper()
	dt, err := os.ReadFile(filepath.Join(root, "docs", "howto", "editor", name))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(dt))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
