package e2e

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/moby/buildkit/client"
	spb "github.com/moby/buildkit/sourcepolicy/pb"
)

// header begins every spec.
const header = "# syntax=ghcr.io/crosshull/crosshull:1\n"

// An image on an image of crosshull's tells of itself: what the base says of its own version, base and times is not
// its own.
func TestLabelsOfBase(t *testing.T) {
	t.Parallel()
	const both = "linux/amd64,linux/arm64"
	base, repo := repository(t), repository(t)
	dir := shared(t, "dotnetapp")
	write(t, dir, "crosshull.yaml", header+"image: {labels: {team: platform, org.opencontainers.image.title: base}}\n")
	mustSolve(t, dir, platform(both), pushTo(base), attr("build-arg:SOURCE_DATE_EPOCH", "1700000000"))
	_, bases := index(t, base)

	dir = t.TempDir()
	project(t, dir, "app.csproj", "<ContainerGenerateLabels>false</ContainerGenerateLabels>")
	write(t, dir, "crosshull.yaml", header+"base: {image: "+base+"}\n")
	mustSolve(t, dir, platform(both), pushTo(repo))
	_, images := index(t, repo)
	for p, img := range images {
		if got := img.Config.Config.Labels; len(got) != 1 || got["team"] != "platform" {
			t.Errorf("%s: an app that asks for no labels has %v, of a base with %v", p, got, bases[p].Config.Config.Labels)
		}
		if len(img.Annotations) > 0 {
			t.Errorf("%s: annotations %v", p, img.Annotations)
		}
	}

	project(t, dir, "app.csproj", "<Version>7.0.0</Version>")
	mustSolve(t, dir, platform(both), pushTo(repo))
	_, images = index(t, repo)
	for p, img := range images {
		for key, want := range map[string]string{
			"team":                               "platform",
			"org.opencontainers.image.base.name": base + ":latest",
			"org.opencontainers.image.version":   "7.0.0",
			"org.opencontainers.image.title":     "",
			"org.opencontainers.image.created":   "",
			"org.opencontainers.image.ref.name":  "",
		} {
			if got := img.Config.Config.Labels[key]; got != want {
				t.Errorf("%s: label %s is %q, want %q", p, key, got, want)
			}
		}
		// This registry gives the index of a base to those alone who accept it by name, so the digest is not known.
		const digest = "org.opencontainers.image.base.digest"
		leaked, want := bases[p].Config.Config.Labels[digest], bases[p].Descriptor.Digest.String()
		if got := img.Config.Config.Labels[digest]; leaked == "" || got == leaked || got != "" && got != want {
			t.Errorf("%s: digest of the base %q, want %q or none; that of the base's base is %q", p, got, want, leaked)
		}
	}
}

// Index and configuration name one platform, whatever a base says of its variant: what crane validate checks.
func TestPlatforms(t *testing.T) {
	t.Parallel()
	dir, base := sharedHello(t), repository(t)
	write(t, dir, "crosshull.yaml", header+"base: {image: "+base+"}\n") // the same for all: MSBuild is asked once
	amd64 := v1.Platform{OS: "linux", Architecture: "amd64"}
	arm64 := v1.Platform{OS: "linux", Architecture: "arm64"}
	arm64v8 := v1.Platform{OS: "linux", Architecture: "arm64", Variant: "v8"}
	armv7 := v1.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	arm := v1.Platform{OS: "linux", Architecture: "arm"}
	for _, tc := range []struct {
		name      string
		index     []v1.Platform // what the index of the base says
		config    []v1.Platform // what its images say
		asked     string
		platforms []string // what both of ours say
	}{
		{
			"a base without variants", []v1.Platform{amd64, arm64, armv7}, []v1.Platform{amd64, arm64, armv7},
			"linux/amd64,linux/arm64,linux/arm/v7", []string{"linux/amd64", "linux/arm/v7", "linux/arm64"},
		},
		{
			"a base with variants", []v1.Platform{amd64, arm64v8, armv7}, []v1.Platform{amd64, arm64v8, armv7},
			"linux/amd64,linux/arm64/v8,linux/arm/v7", []string{"linux/amd64", "linux/arm/v7", "linux/arm64"},
		},
		{
			"a base whose images know more than its index", []v1.Platform{arm64, arm}, []v1.Platform{arm64v8, armv7},
			"linux/arm64,linux/arm", []string{"linux/arm/v7", "linux/arm64"},
		},
		{
			"a base whose index knows more than its images", []v1.Platform{arm64v8, armv7}, []v1.Platform{arm64, arm},
			"linux/arm64,linux/arm/v7", []string{"linux/arm/v7", "linux/arm64"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			repo := repository(t)
			pushBase(t, base, tc.index, tc.config)
			// crane validate reads no layer but one of gzip. Other tests push layers of this app without compression.
			mustSolve(t, dir, platform(tc.asked), pushTo(repo), asking(func(so *client.SolveOpt) {
				so.Exports[0].Attrs["force-compression"] = "true"
			}))
			idx, err := remote.Index(insecure(t, repo))
			if err != nil {
				t.Fatal(err)
			}
			if err := validate.Index(idx); err != nil {
				t.Errorf("crane validate: %v", err)
			}
			manifest, err := idx.IndexManifest()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, desc := range manifest.Manifests {
				got = append(got, desc.Platform.String())
			}
			slices.Sort(got)
			if !slices.Equal(got, tc.platforms) {
				t.Errorf("platforms %q, want %q", got, tc.platforms)
			}
		})
	}
}

// pushBase makes an index in the lab's registry: platforms as it says, and as the configurations of its images say.
func pushBase(t *testing.T, repo string, index, config []v1.Platform) {
	t.Helper()
	layer, err := random.Layer(512, "application/vnd.docker.image.rootfs.diff.tar.gzip")
	if err != nil {
		t.Fatal(err)
	}
	idx := mutate.IndexMediaType(empty.Index, "application/vnd.docker.distribution.manifest.list.v2+json")
	for i := range index {
		img, err := mutate.AppendLayers(empty.Image, layer)
		if err != nil {
			t.Fatal(err)
		}
		file, err := img.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		file = file.DeepCopy()
		file.OS, file.Architecture, file.Variant = config[i].OS, config[i].Architecture, config[i].Variant
		if img, err = mutate.ConfigFile(img, file); err != nil {
			t.Fatal(err)
		}
		idx = mutate.AppendManifests(idx, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &index[i]}})
	}
	if err := remote.WriteIndex(insecure(t, repo), idx); err != nil {
		t.Fatal(err)
	}
}

// insecure is the name of an image in a registry without TLS, as the lab's is one.
func insecure(t *testing.T, repo string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(repo, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// annotation is buildx's --annotation TYPE:KEY=VALUE, as it gets to BuildKit.
func annotation(typ, key, value string) option {
	return asking(func(so *client.SolveOpt) {
		if typ != "" {
			typ = "-" + typ
		}
		so.Exports[0].Attrs["annotation"+typ+"."+key] = value
	})
}

// What --annotation says is what the image has, at every level and in every form, but where BuildKit lays the
// annotations of a frontend over those of the flag: for keys that the spec or crosshull annotates manifests with, too.
func TestAnnotations(t *testing.T) {
	t.Parallel()
	const (
		version, sdk = "org.opencontainers.image.version", "net.dot.sdk.version"
		base, digest = "org.opencontainers.image.base.name", "org.opencontainers.image.base.digest"
		amd64, arm64 = "linux/amd64", "linux/arm64"
		spec         = "spec" // the value of the key team in the spec
		runtime      = "mcr.microsoft.com/dotnet/runtime:10.0"
	)
	dir := shared(t, "dotnetapp")
	edit(t, dir, "crosshull.yaml", "image:", "image:\n  annotations: {team: "+spec+"}")
	type flag struct {
		typ, key string
		want     map[string]string // the value of key, by platform, or of the index, or of the descriptor of arm64
	}
	for name, flags := range map[string][]flag{
		"of all platforms": {
			{"manifest", version, map[string]string{amd64: "flag", arm64: "flag"}},
			{"", sdk, map[string]string{amd64: "flag", arm64: "flag", "index": "", "descriptor": ""}},
			{"index", "team", map[string]string{"index": "flag", amd64: spec, arm64: spec}},
			{"manifest-descriptor", "team", map[string]string{"descriptor": "flag", amd64: spec, arm64: spec}},
			// No frontend can know of it: see docs/reference/labels.md.
			{"manifest", "team", map[string]string{amd64: spec, arm64: spec}},
		},
		"of one platform": {
			{"manifest[linux/arm64]", version, map[string]string{amd64: "", arm64: "flag"}},
			{"manifest[linux/arm64]", "team", map[string]string{amd64: spec, arm64: "flag"}},
			{"manifest[linux/arm64]", base, map[string]string{amd64: runtime, arm64: "flag"}},
			{"manifest-descriptor[linux/arm64]", digest, map[string]string{"descriptor": "flag"}},
			{"index", version, map[string]string{"index": "flag", amd64: "", "descriptor": ""}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			repo := repository(t)
			opts := []option{platform(amd64 + "," + arm64), pushTo(repo)}
			for _, f := range flags {
				opts = append(opts, annotation(f.typ, f.key, "flag"))
			}
			mustSolve(t, dir, opts...)
			idx, images := index(t, repo)
			got := map[string]map[string]string{"index": idx.Annotations, "descriptor": images[arm64].Descriptor.Annotations}
			for p, img := range images {
				got[p] = img.Annotations
			}
			for _, f := range flags {
				for where, want := range f.want {
					if got := got[where][f.key]; got != want {
						t.Errorf("%s:%s: %s has %q, want %q", f.typ, f.key, where, got, want)
					}
				}
			}
		})
	}
}

// Where the spec asks for annotations of the index, the flag wins for all keys but those.
func TestAnnotationsOfIndex(t *testing.T) {
	t.Parallel()
	dir, repo := shared(t, "dotnetapp"), repository(t)
	edit(t, dir, "crosshull.yaml", "image:", "image:\n  annotate-index: true\n  annotations: {team: spec}")
	mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo),
		annotation("index", "org.opencontainers.image.version", "flag"), annotation("index", "team", "flag"))
	idx, _ := index(t, repo)
	if got := idx.Annotations; got["org.opencontainers.image.version"] != "flag" || got["team"] != "spec" {
		t.Errorf("annotations %v", got)
	}
}

// With one platform and no index the flag wins just as well.
func TestAnnotationsOfOnePlatform(t *testing.T) {
	t.Parallel()
	dir, repo := shared(t, "dotnetapp"), repository(t)
	mustSolve(t, dir, pushTo(repo),
		annotation("manifest", "org.opencontainers.image.version", "flag"), annotation("", "x", "y"))
	var manifest struct{ Annotations map[string]string }
	fetch(t, repo, "manifests/latest", &manifest)
	got := manifest.Annotations
	if got["org.opencontainers.image.version"] != "flag" || got["x"] != "y" ||
		!strings.HasPrefix(got["org.opencontainers.image.base.digest"], "sha256:") {
		t.Errorf("annotations %v", got)
	}
}

// What a command is asked for is alone on its standard output: a digest, or an archive. The summary is for people,
// among the progress.
func TestStandardOutput(t *testing.T) {
	t.Parallel()
	dir := shared(t, "dotnetapp")
	run := func(args ...string) (stdout, stderr string) {
		t.Helper()
		return apart(t, dir, append([]string{"-f", "crosshull.yaml"}, args...)...)
	}
	const summary = "[summary] dotnetapp.csproj, portable, net10.0 for linux/amd64"

	out, log := run("--progress", "plain", "-t", repository(t), "--push", ".")
	if out != "" {
		t.Errorf("a build prints on standard output:\n%s", out)
	}
	wantContains(t, "progress", log, summary)

	out, log = run("--quiet", "-t", repository(t), "--push", ".")
	if !digestAlone.MatchString(out) || log != "" {
		t.Errorf("--quiet prints %q, and on standard error %q", out, log)
	}

	out, log = run("--progress", "plain", "-o", "type=tar,dest=-", ".")
	archive := strings.NewReader(out)
	files := tar.NewReader(archive)
	found := false
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		found = found || header.Name == "app/dotnetapp.dll"
	}
	rest, err := io.ReadAll(archive)
	if err != nil || !found || strings.Trim(string(rest), "\x00") != "" {
		t.Errorf("the archive has the app: %v; after it comes %q: %v", found, rest, err)
	}
	wantContains(t, "progress", log, summary)

	out, log = run("--progress", "rawjson", "-t", repository(t), "--push", ".")
	if out != "" {
		t.Errorf("rawjson prints on standard output:\n%s", out)
	}
	for line := range strings.Lines(log) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

var digestAlone = regexp.MustCompile(`^sha256:[0-9a-f]{64}\n$`)

// apart runs docker buildx build in dir, and gives apart what it prints on standard output and on standard error.
func apart(t *testing.T, dir string, args ...string) (stdout, stderr string) {
	t.Helper()
	stdout, stderr, err := tryApart(t, dir, args...)
	if err != nil {
		t.Fatalf("%q: %v\n%s", args, err, stderr)
	}
	return stdout, stderr
}

// tryApart is apart for a build that may fail. buildx can print lines of its own to standard error at any time, so JSON
// is read from standard output alone.
func tryApart(t *testing.T, dir string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd, done := prepare(t, dir, "docker", append([]string{"buildx", "build"}, args...)...)
	defer done()
	var out, log strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &log
	err = cmd.Run()
	return out.String(), log.String(), err
}

// A source policy that knows nothing but the context and Microsoft's images is no reason for a warning, and one that
// denies the base says which image that is, and where the spec names it.
func TestSourcePolicy(t *testing.T) {
	t.Parallel()
	const runtime = "mcr.microsoft.com/dotnet/runtime:10.0"
	dir := example(t, "dotnetapp")
	policy := func(rules ...*spb.Rule) option {
		return asking(func(so *client.SolveOpt) { so.SourcePolicy = &spb.Policy{Version: 1, Rules: rules} })
	}
	rule := func(action spb.PolicyAction, sources string) *spb.Rule {
		return &spb.Rule{Action: action, Selector: &spb.Selector{Identifier: sources, MatchType: spb.MatchType_WILDCARD}}
	}
	repo := repository(t)
	rec := mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(repo), policy(
		rule(spb.PolicyAction_DENY, "*"),
		rule(spb.PolicyAction_ALLOW, "local://*"),
		rule(spb.PolicyAction_ALLOW, "docker-image://mcr.microsoft.com/*"),
	))
	if len(rec.warnings)+len(rec.failed) > 0 {
		t.Errorf("warnings %q, failed %q", rec.warnings, rec.failed)
	}
	_, images := index(t, repo)
	for p, img := range images {
		if got := img.Config.Config.Labels["org.opencontainers.image.base.name"]; got != runtime {
			t.Errorf("%s: base %q", p, got)
		}
	}

	write(t, dir, "crosshull.yaml", header+"base:\n  image: "+runtime+"\n")
	_, err := solve(t, dir, platform("linux/amd64,linux/arm64"),
		policy(rule(spb.PolicyAction_DENY, "docker-image://mcr.microsoft.com/dotnet/runtime*")))
	if err == nil {
		t.Fatal("an image is built on a base that is denied")
	}
	wantContains(t, "error", err.Error(),
		"crosshull.yaml:3: base image: ", `"docker-image://`+runtime+`" denied by policy`)
	if strings.Contains(err.Error(), "has no image") || strings.Contains(err.Error(), "does not exist") {
		t.Errorf("a denied base is taken for one that the registry lacks: %v", err)
	}
}
