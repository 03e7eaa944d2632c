package llb

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/frontend/spec"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// A base that crosshull or the SDK has made passes on what is true of an image on it, and nothing that tells of itself.
func TestLabelsOfBase(t *testing.T) {
	for label, want := range map[string]bool{
		"org.opencontainers.image.base.name":        false,
		"org.opencontainers.image.base.digest":      false,
		"org.opencontainers.image.created":          false,
		"org.opencontainers.image.revision":         false,
		"org.opencontainers.image.source":           false,
		"org.opencontainers.image.version":          false,
		"org.opencontainers.image.title":            false,
		"org.opencontainers.image.description":      false,
		"org.opencontainers.image.url":              false,
		"org.opencontainers.image.documentation":    false,
		"org.opencontainers.image.licenses":         false,
		"org.opencontainers.image.vendor":           false,
		"org.opencontainers.image.authors":          false,
		"org.opencontainers.artifact.created":       false,
		"org.opencontainers.artifact.description":   false,
		"org.label-schema.vcs-ref":                  false,
		"net.dot.runtime.majorminor":                false,
		"net.dot.sdk.version":                       false,
		"maintainer":                                true,
		"com.example.team":                          true,
		"org.opencontainers.imagery":                true,
		"net.dotted":                                true,
		"io.k8s.description":                        true,
		"com.example.org.opencontainers.image.base": true,
	} {
		config := mustConfig(t, func(o *ConfigOpt) {
			o.App.Labels = nil // ContainerGenerateLabels=false: nothing is laid over what is inherited
			o.Base.Config.Config.Labels = map[string]string{label: "of the base"}
		})
		got, ok := config.Image.Config.Labels[label]
		if ok != want || ok && got != "of the base" {
			t.Errorf("%s: inherited as %q: %v, want %v", label, got, ok, want)
		}
		if len(config.Annotations) > 0 {
			t.Errorf("%s: annotations %v out of nothing", label, config.Annotations)
		}
	}
}

// The name of the distribution is inherited of a base that is little more than it, and not of one that describes
// itself.
func TestLabelDistribution(t *testing.T) {
	for _, tc := range []struct {
		name   string
		others []string // labels of the base
		want   string
	}{
		{"Ubuntu, and .NET on it", []string{ocispecs.AnnotationVersion}, "ubuntu"},
		{"nothing else", nil, "ubuntu"},
		{"labels of other kinds", []string{"maintainer"}, "ubuntu"},
		{"an app", []string{ocispecs.AnnotationVersion, ocispecs.AnnotationBaseImageName, "net.dot.sdk.version"}, ""},
		{"a base with a title", []string{ocispecs.AnnotationTitle}, ""},
	} {
		config := mustConfig(t, func(o *ConfigOpt) {
			o.App.Labels = nil
			labels := map[string]string{LabelDistribution: "ubuntu"}
			for _, k := range tc.others {
				labels[k] = "of the base"
			}
			o.Base.Config.Config.Labels = labels
		})
		got := config.Image.Config.Labels
		if got[LabelDistribution] != tc.want || got[ocispecs.AnnotationVersion] != "" {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

// Each source of a label wins over those before it in the table.
func TestLabelOrder(t *testing.T) {
	const mine, source = "com.example.x", ocispecs.AnnotationSource
	base := func(o *ConfigOpt) { o.Base.Config.Config.Labels = map[string]string{mine: "base", source: "base"} }
	vcs := func(o *ConfigOpt) { o.VCS = VCS{Source: "crosshull"} }
	project := func(o *ConfigOpt) {
		for _, key := range []string{mine, source} {
			o.App.Labels = append(o.App.Labels, dotnet.KeyValue{Key: key, Value: "project"})
		}
	}
	specLabels := func(o *ConfigOpt) { o.Spec.Labels = map[string]string{mine: "spec", source: "spec"} }
	specAnnotations := func(o *ConfigOpt) { o.Spec.Annotations = map[string]string{mine: "spec", source: "spec"} }
	flags := func(o *ConfigOpt) { o.Labels = map[string]string{mine: "flag", source: "flag"} }
	for _, tc := range []struct {
		name             string
		who              []func(*ConfigOpt)
		mine, source     string // labels
		annotationMine   string
		annotationSource string
		from             Origin
	}{
		{"base", []func(*ConfigOpt){base}, "base", "", "", "", FromBase},
		{"crosshull", []func(*ConfigOpt){base, vcs}, "base", "crosshull", "", "crosshull", FromBase},
		{"project", []func(*ConfigOpt){base, vcs, project}, "project", "project", "", "", FromProject},
		{"spec's labels", []func(*ConfigOpt){base, vcs, project, specLabels}, "spec", "spec", "", "", FromSpec},
		{"spec's annotations", []func(*ConfigOpt){base, vcs, specAnnotations}, "base", "crosshull", "spec", "spec", FromBase},
		{"flag", []func(*ConfigOpt){base, vcs, project, specLabels, flags}, "flag", "flag", "", "", FromFlag},
	} {
		t.Run(tc.name, func(t *testing.T) {
			config := mustConfig(t, func(o *ConfigOpt) {
				for _, change := range tc.who {
					change(o)
				}
			})
			labels := config.Image.Config.Labels
			for what, got := range map[string][2]string{
				"label of mine":        {labels[mine], tc.mine},
				"label of source":      {labels[source], tc.source},
				"annotation of mine":   {config.Annotations[mine], tc.annotationMine},
				"annotation of source": {config.Annotations[source], tc.annotationSource},
			} {
				if got[0] != got[1] {
					t.Errorf("%s: got %q, want %q", what, got[0], got[1])
				}
			}
			if got := config.Origins["labels."+mine]; got != tc.from {
				t.Errorf("origin %d, want %d", got, tc.from)
			}
		})
	}
}

// What the SDK generates is corrected, and what the project says itself stays, where the SDK generates one of the same
// name too.
func TestLabelsOfProject(t *testing.T) {
	epoch := time.Unix(1700000000, 0)
	own := func(key string) []dotnet.KeyValue {
		return []dotnet.KeyValue{{Key: key, Value: "own"}, {Key: key, Value: "generated"}}
	}
	for _, key := range generated {
		config := mustConfig(t, func(o *ConfigOpt) {
			o.App.Labels = append(own(key), o.App.Labels...)
			o.Epoch = &epoch
		})
		if got := config.Image.Config.Labels[key]; got != "own" {
			t.Errorf("%s: the label of the project became %q", key, got)
		}
		if got, ok := config.Annotations[key]; ok {
			t.Errorf("%s: annotation %q beside the project's label", key, got)
		}
	}
	config := mustConfig(t, func(o *ConfigOpt) { o.Epoch = &epoch })
	want := []string{
		"org.opencontainers.artifact.created", "org.opencontainers.image.base.digest",
		"org.opencontainers.image.base.name", "org.opencontainers.image.created",
	}
	if got := slices.Sorted(maps.Keys(config.Annotations)); !slices.Equal(got, want) {
		t.Errorf("annotations %q, want %q: the SDK writes none, and --annotation could not win over more", got, want)
	}
	for _, key := range want {
		if label, annotation := config.Image.Config.Labels[key], config.Annotations[key]; label == "" || label != annotation {
			t.Errorf("%s: label %q, annotation %q", key, label, annotation)
		}
	}
}

// Configuration and index name one platform: the normalized one that is asked for, whatever the base says of itself.
func TestPlatformOfConfig(t *testing.T) {
	platform := func(arch, variant string) ocispecs.Platform {
		return ocispecs.Platform{OS: "linux", Architecture: arch, Variant: variant}
	}
	for _, tc := range []struct {
		asked, base, want ocispecs.Platform
	}{
		{platform("amd64", ""), platform("amd64", ""), platform("amd64", "")},
		{platform("amd64", ""), platform("amd64", "v1"), platform("amd64", "")},
		{platform("amd64", "v2"), platform("amd64", ""), platform("amd64", "v2")},
		{platform("arm64", ""), platform("arm64", ""), platform("arm64", "")},
		{platform("arm64", ""), platform("arm64", "v8"), platform("arm64", "")},
		{platform("arm64", "v8"), platform("arm64", "v8"), platform("arm64", "")},
		{platform("arm64", ""), platform("arm", "v7"), platform("arm64", "")},
		{platform("arm", "v7"), platform("arm", "v7"), platform("arm", "v7")},
		{platform("arm", "v7"), platform("arm", ""), platform("arm", "v7")},
		{platform("arm", "v7"), platform("arm", "v6"), platform("arm", "v7")},
	} {
		config := mustConfig(t, func(o *ConfigOpt) {
			o.Platform = tc.asked
			o.Base.Config.Platform = tc.base
		})
		if got := config.Image.Platform; !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%v on %v: got %v, want %v", tc.asked, tc.base, got, tc.want)
		}
	}
}

func mustConfig(t *testing.T, change func(*ConfigOpt)) *Configuration {
	t.Helper()
	config, err := Config(configOpt(change))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// docs/reference/labels.md has the tables as they are in the code, and an example that is what Config makes.
func TestLabelsInDocs(t *testing.T) {
	yes := map[bool]string{true: "yes", false: "no"}
	var sources, rules strings.Builder
	sources.WriteString("| | who | what | label | annotation |\n|---|---|---|---|---|\n")
	for i, s := range LabelSources {
		fmt.Fprintf(&sources, "| %d | %s | %s | %s | %s |\n", i+1, s.Who, s.What, yes[s.Label], yes[s.Annotation])
	}
	rules.WriteString("| labels | what they tell |\n|---|---|\n")
	for _, r := range NotInherited {
		fmt.Fprintf(&rules, "| `%s*` | %s |\n", r.Prefix, r.Why)
	}
	inDocs(t, "reference/labels.md", map[string]string{
		"sources": sources.String(), "rules": rules.String(), "example": labelExample(t),
	})
}

// labelExample is an image on an image of crosshull's.
func labelExample(t *testing.T) string {
	t.Helper()
	config := mustConfig(t, func(o *ConfigOpt) {
		base := mustConfig(t, func(o *ConfigOpt) {
			o.Base.Config.Config.Labels["com.example.team"] = "platform"
			o.Platform = amd64
		})
		o.Base.Config, o.Base.Name, o.Base.Digest = base.Image, "registry.example.com/base:1", "sha256:c0ffee"
		o.App.Labels = append(o.App.Labels, dotnet.KeyValue{Key: "com.example.tier", Value: "web"})
		o.Spec = spec.Image{
			Labels:      map[string]string{"com.example.team": "shop"},
			Annotations: map[string]string{"com.example.cost": "7"},
		}
		o.Labels = map[string]string{"com.example.build": "42"}
		o.Platform = amd64
	})
	var b strings.Builder
	b.WriteString("```\n")
	labels := config.Image.Config.Labels
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		fmt.Fprintf(&b, "label       %s=%s\n", k, labels[k])
	}
	for _, k := range slices.Sorted(maps.Keys(config.Annotations)) {
		fmt.Fprintf(&b, "annotation  %s=%s\n", k, config.Annotations[k])
	}
	b.WriteString("```\n")
	return b.String()
}

// inDocs compares parts of a page, between <!-- NAME:begin --> and <!-- NAME:end -->, or writes them.
func inDocs(t *testing.T, name string, parts map[string]string) {
	t.Helper()
	page := filepath.Join("..", "docs", name)
	dt, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	got := string(dt)
	want := got
	for part, text := range parts {
		before, rest, ok := strings.Cut(want, "<!-- "+part+":begin -->\n")
		_, after, closed := strings.Cut(rest, "<!-- "+part+":end -->")
		if !ok || !closed {
			t.Fatalf("%s has no place for %s", page, part)
		}
		want = before + "<!-- " + part + ":begin -->\n\n" + text + "\n<!-- " + part + ":end -->" + after
	}
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("docs/%s differs from the code: go test ./llb -update writes it", name)
	}
	if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
