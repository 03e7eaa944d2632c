package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/package-url/packageurl-go"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	spdx "github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/crosshull/crosshull/hack/lab"
)

// needScanner sees that there is an image to scan with.
func needScanner(t *testing.T) {
	t.Helper()
	if err := pushScanner(); err != nil {
		t.Fatal(err)
	}
}

var pushScanner = sync.OnceValue(func() error { return theLab.PushScanner(context.Background()) })

// statement is an in-toto statement in a registry.
type statement struct {
	PredicateType string
	Subject       []struct{ Digest map[string]string }
	Predicate     json.RawMessage
}

// attestations gives the statements about the image of each platform, in their order.
func attestations(t *testing.T, repo string) map[string][]statement {
	t.Helper()
	idx, images := index(t, repo)
	found := map[string][]statement{}
	for p, img := range images {
		for _, desc := range idx.Manifests {
			if desc.Annotations["vnd.docker.reference.type"] != "attestation-manifest" ||
				desc.Annotations["vnd.docker.reference.digest"] != img.Descriptor.Digest.String() {
				continue
			}
			var m ocispecs.Manifest
			fetch(t, repo, "manifests/"+desc.Digest.String(), &m)
			for _, l := range m.Layers {
				if l.MediaType != "application/vnd.in-toto+json" {
					t.Errorf("%s: layer of type %s", p, l.MediaType)
				}
				var s statement
				fetch(t, repo, "blobs/"+l.Digest.String(), &s)
				if want := img.Descriptor.Digest.Encoded(); len(s.Subject) == 0 || s.Subject[0].Digest["sha256"] != want {
					t.Errorf("%s: a statement about %v, want %s", p, s.Subject, want)
				}
				found[p] = append(found[p], s)
			}
		}
		if len(found[p]) == 0 {
			t.Errorf("%s: the image has no attestations", p)
		}
	}
	return found
}

// sboms are the documents about the image of a platform.
type sboms struct {
	scanned, nuget *document
	materials      map[string]string // of the provenance: digests by package URL
}

// document is an SPDX document, and how it is written.
type document struct {
	*spdx.Document
	text string
}

func newDocument(t *testing.T, dt []byte) *document {
	t.Helper()
	doc := &spdx.Document{}
	if err := spdxjson.ReadInto(bytes.NewReader(dt), doc); err != nil {
		t.Fatalf("%v\n%s", err, dt)
	}
	return &document{doc, string(dt)}
}

// byTool tells whether a tool made the document.
func (d *document) byTool(name string) bool {
	return slices.ContainsFunc(d.CreationInfo.Creators,
		func(c common.Creator) bool { return c.CreatorType == "Tool" && c.Creator == name })
}

// find gives the package of a name.
func (d *document) find(name string) *spdx.Package {
	for _, p := range d.Packages {
		if p.PackageName == name {
			return p
		}
	}
	return nil
}

// purls are the package URLs of a type.
func (d *document) purls(prefix string) []string {
	var purls []string
	for _, p := range d.Packages {
		for _, ref := range p.PackageExternalReferences {
			if strings.HasPrefix(ref.Locator, prefix) {
				purls = append(purls, ref.Locator)
			}
		}
	}
	return purls
}

// related tells whether a relates to b, which are names of packages; the document itself has the name DOCUMENT.
func (d *document) related(a, relationship, b string) bool {
	id := func(name string) common.ElementID {
		if p := d.find(name); p != nil {
			return p.PackageSPDXIdentifier
		}
		return common.ElementID(name)
	}
	return slices.ContainsFunc(d.Relationships, func(r *spdx.Relationship) bool {
		return r.RefA.ElementRefID == id(a) && r.Relationship == relationship && r.RefB.ElementRefID == id(b)
	})
}

// sbomsOf gives what a push with --sbom has, for each platform: two documents, the scanner's first.
func sbomsOf(t *testing.T, repo string) map[string]sboms {
	t.Helper()
	out := map[string]sboms{}
	for p, statements := range attestations(t, repo) {
		s := sboms{materials: map[string]string{}}
		var docs []*document
		for _, st := range statements {
			switch {
			case st.PredicateType == "https://spdx.dev/Document":
				docs = append(docs, newDocument(t, st.Predicate))
			case strings.HasPrefix(st.PredicateType, "https://slsa.dev/provenance/"):
				var provenance struct {
					BuildDefinition struct {
						ResolvedDependencies []struct {
							URI    string
							Digest map[string]string
						}
					}
				}
				if err := json.Unmarshal(st.Predicate, &provenance); err != nil {
					t.Fatal(err)
				}
				for _, m := range provenance.BuildDefinition.ResolvedDependencies {
					s.materials[m.URI] = m.Digest["sha256"]
				}
			}
		}
		if len(docs) != 2 || docs[0].byTool("crosshull") || !docs[1].byTool("crosshull") {
			t.Fatalf("%s: %d documents, want the scanner's and then crosshull's: %+v", p, len(docs), docs)
		}
		s.scanned, s.nuget = docs[0], docs[1]
		wantValid(t, s.nuget)
		out[p] = s
	}
	return out
}

var (
	spdxRef     = regexp.MustCompile(`^[A-Za-z0-9.-]+$`)
	spdxLicense = regexp.MustCompile(`^(NOASSERTION|[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*)$`)
	hexes       = map[common.ChecksumAlgorithm]*regexp.Regexp{common.SHA512: regexp.MustCompile(`^[0-9a-f]{128}$`),
		common.SHA256: regexp.MustCompile(`^[0-9a-f]{64}$`)}
)

// wantValid holds a document against SPDX 2.3, beyond what its readers do: what has to be there, what may be in a
// field, that each identifier is of one thing, and that what is referred to is there.
func wantValid(t *testing.T, d *document) {
	t.Helper()
	// Nothing is lost on the way: what the reader does not know is not in SPDX.
	var again bytes.Buffer
	if err := spdxjson.Write(d.Document, &again); err != nil {
		t.Fatal(err)
	}
	var want, got any
	if err := json.Unmarshal([]byte(d.text), &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if a, b := keys(want), keys(got); !slices.Equal(a, b) {
		t.Errorf("the document has %q, a reader of SPDX takes %q", a, b)
	}
	if d.SPDXVersion != "SPDX-2.3" || d.DataLicense != "CC0-1.0" || d.SPDXIdentifier != "DOCUMENT" ||
		d.DocumentName == "" {
		t.Errorf("head of the document: %+v", d.Document)
	}
	if !regexp.MustCompile(`^https://[^#\s]+$`).MatchString(d.DocumentNamespace) {
		t.Errorf("namespace %q", d.DocumentNamespace)
	}
	if !regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`).MatchString(d.CreationInfo.Created) {
		t.Errorf("created %q", d.CreationInfo.Created)
	}
	ids := map[common.ElementID]bool{"DOCUMENT": true}
	for _, p := range d.Packages {
		id := p.PackageSPDXIdentifier
		if ids[id] || !spdxRef.MatchString(string(id)) {
			t.Errorf("identifier %q is taken, or none", id)
		}
		ids[id] = true
		if p.PackageName == "" || p.PackageDownloadLocation == "" || p.FilesAnalyzed ||
			!spdxLicense.MatchString(p.PackageLicenseDeclared) {
			t.Errorf("package %+v", p)
		}
		for _, sum := range p.PackageChecksums {
			if re := hexes[sum.Algorithm]; re == nil || !re.MatchString(sum.Value) {
				t.Errorf("%s: checksum %s %q", p.PackageName, sum.Algorithm, sum.Value)
			}
		}
		for _, ref := range p.PackageExternalReferences {
			if _, err := packageurl.FromString(ref.Locator); err != nil || ref.Category != common.CategoryPackageManager ||
				ref.RefType != common.TypePackageManagerPURL {
				t.Errorf("%s: reference %+v: %v", p.PackageName, ref, err)
			}
		}
	}
	linked := map[common.ElementID]bool{}
	for _, r := range d.Relationships {
		if !ids[r.RefA.ElementRefID] || !ids[r.RefB.ElementRefID] {
			t.Errorf("%+v is of something that is not there", r)
		}
		if !slices.Contains([]string{common.TypeRelationshipDescribe, common.TypeRelationshipDependsOn,
			common.TypeRelationshipBuildDependencyOf, common.TypeRelationshipRuntimeDependencyOf,
			common.TypeRelationshipBuildToolOf}, r.Relationship) {
			t.Errorf("relationship %s", r.Relationship)
		}
		linked[r.RefA.ElementRefID], linked[r.RefB.ElementRefID] = true, true
	}
	for id := range ids {
		if !linked[id] {
			t.Errorf("%s is related to nothing", id)
		}
	}
}

// keys are the paths of all values in a JSON document, without the positions in lists.
func keys(v any) []string {
	found := map[string]bool{}
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				found[at+"."+k] = true
				walk(at+"."+k, e)
			}
		case []any:
			for _, e := range v {
				walk(at, e)
			}
		}
	}
	walk("", v)
	var list []string
	for k := range found {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// smallPackage is one that compilers and linkers are quick with.
const smallPackage = "Microsoft.Extensions.FileSystemGlobbing"

// withPackage adds [smallPackage] to the project of an example, and to its program a use of it.
func withPackage(t *testing.T, name string) string {
	t.Helper()
	dir := example(t, name)
	edit(t, dir, name+".csproj", "</Project>",
		`<ItemGroup><PackageReference Include="`+smallPackage+`" Version="10.0.13" /></ItemGroup></Project>`)
	edit(t, dir, "Program.cs", "Console.WriteLine(",
		"Console.WriteLine(new "+smallPackage+".Matcher());\nConsole.WriteLine(")
	return dir
}

// --sbom attaches two documents to the image of each platform: what the scanner finds, and what NuGet put into the app.
func TestSBOM(t *testing.T) {
	t.Parallel()
	needScanner(t)
	dir, repo := example(t, "complexapp"), repository(t)
	edit(t, dir, "src/libbar/libbar.csproj", "</ItemGroup>",
		`<PackageReference Include="Microsoft.EntityFrameworkCore.Sqlite" VersionOverride="10.0.13" /></ItemGroup>`)
	out := build(t, dir, "-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "--sbom=true", "-t", repo,
		"--push", ".")
	wantContains(t, "progress", out, "[image linux/arm64] scan with "+lab.ScannerImage)
	both := sbomsOf(t, repo)
	if len(both) != 2 {
		t.Fatalf("documents for %d platforms, want 2", len(both))
	}
	_, images := index(t, repo)
	for p, s := range both {
		for _, purl := range []string{"pkg:nuget/Newtonsoft.Json@13.0.4", "pkg:nuget/Microsoft.EntityFrameworkCore@10.0.13",
			"pkg:nuget/SQLitePCLRaw.lib.e_sqlite3@2.1.13"} {
			for what, purls := range map[string][]string{"the scanner": s.scanned.purls("pkg:nuget/"),
				"crosshull": s.nuget.purls("pkg:nuget/")} {
				if !slices.Contains(purls, purl) {
					t.Errorf("%s: %s does not name %s: %q", p, what, purl, purls)
				}
			}
		}
		for _, r := range [][3]string{
			{"DOCUMENT", "DESCRIBES", "complexapp"},
			{"complexapp", "DEPENDS_ON", "libbar"},
			{"complexapp", "DEPENDS_ON", "libfoo"},
			{"libbar", "DEPENDS_ON", "libfoo"},
			{"libfoo", "DEPENDS_ON", "Newtonsoft.Json"},
			{"libbar", "DEPENDS_ON", "Microsoft.EntityFrameworkCore.Sqlite"},
			{"Microsoft.EntityFrameworkCore.Analyzers", "BUILD_DEPENDENCY_OF", "complexapp"},
			{"mcr.microsoft.com/dotnet/runtime", "RUNTIME_DEPENDENCY_OF", "complexapp"},
			{"mcr.microsoft.com/dotnet/sdk", "BUILD_TOOL_OF", "complexapp"},
		} {
			if !s.nuget.related(r[0], r[1], r[2]) {
				t.Errorf("%s: %s is not there", p, strings.Join(r[:], " "))
			}
		}
		// An analyzer is not in the image, and nobody who reads package URLs takes it to be.
		if analyzers := s.nuget.find("Microsoft.EntityFrameworkCore.Analyzers"); analyzers == nil ||
			len(analyzers.PackageExternalReferences) > 0 {
			t.Errorf("%s: analyzers: %+v", p, analyzers)
		}
		if slices.ContainsFunc(s.nuget.purls("pkg:"),
			func(purl string) bool { return strings.Contains(purl, "Test") || strings.Contains(purl, "xunit") }) {
			t.Errorf("%s: packages of the tests: %q", p, s.nuget.purls("pkg:"))
		}
		base := s.nuget.find("mcr.microsoft.com/dotnet/runtime")
		if base.PackageVersion != "10.0" ||
			"sha256:"+base.PackageChecksums[0].Value != images[p].Annotations["org.opencontainers.image.base.digest"] {
			t.Errorf("%s: base %+v", p, base)
		}
		sdk, _ := sdkVersions(t)
		if got := s.nuget.find("mcr.microsoft.com/dotnet/sdk"); got.PackageVersion != sdk {
			t.Errorf("%s: SDK %+v", p, got)
		}
		// Base and SDK are named as the provenance names them, with their digests.
		for _, purl := range s.nuget.purls("pkg:docker/") {
			digest := regexp.MustCompile(`digest=sha256:([0-9a-f]{64})&`).FindStringSubmatch(purl)
			if digest == nil || s.materials[strings.Replace(purl, digest[0], "", 1)] != digest[1] {
				t.Errorf("%s: the provenance has no %s: %q", p, purl, s.materials)
			}
		}
		if n := len(s.nuget.purls("pkg:docker/")); n != 2 {
			t.Errorf("%s: %d images, want base and SDK", p, n)
		}
		wantNoMachine(t, s.nuget.text, dir)
	}
	if both["linux/amd64"].nuget.DocumentNamespace == both["linux/arm64"].nuget.DocumentNamespace {
		t.Error("two documents with one namespace")
	}
	wantContains(t, "imagetools",
		command(t, dir, "docker", "buildx", "imagetools", "inspect", repo,
			"--format", `{{json (index .SBOM "linux/arm64").AdditionalSPDXs}}`), `"Tool: crosshull"`)
}

// wantNoMachine looks for what belongs to the machine, and not to the app.
func wantNoMachine(t *testing.T, text string, more ...string) {
	t.Helper()
	for _, secret := range append(more, "/source", "/nuget/", "/root", "/home", os.TempDir(), "127.0.0.1", "localhost",
		theLab.FeedURL()) {
		if strings.Contains(text, secret) {
			t.Errorf("the document has %q", secret)
		}
	}
}

// What is compiled into a binary shows in crosshull's document, and in no other: packages, and the packs of .NET that
// the compiler or the linker takes.
//
// It takes minutes: AOT and trimming are slow.
func TestSBOMOfBinaries(t *testing.T) {
	t.Parallel()
	needScanner(t)
	for _, tc := range []struct {
		example string
		packs   []string
		without []string
	}{
		{"trimmed", []string{"Microsoft.NETCore.App.Host", "Microsoft.NETCore.App.Runtime"},
			[]string{"Microsoft.AspNetCore.App.Runtime"}},
		{"aot", []string{"Microsoft.NETCore.App.Runtime.NativeAOT"},
			[]string{"Microsoft.NETCore.App.Host", "Microsoft.NETCore.App.Runtime.linux"}},
	} {
		t.Run(tc.example, func(t *testing.T) {
			t.Parallel()
			dir, repo := withPackage(t, tc.example), repository(t)
			build(t, dir, "-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "--sbom=true", "-t", repo,
				"--push", ".")
			both := sbomsOf(t, repo)
			for p, rid := range map[string]string{"linux/amd64": "linux-x64", "linux/arm64": "linux-arm64"} {
				s := both[p]
				if seen := s.scanned.purls("pkg:nuget/"); len(seen) > 0 {
					t.Errorf("%s: a file scanner sees %q", p, seen)
				}
				purls := s.nuget.purls("pkg:nuget/")
				if !slices.Contains(purls, "pkg:nuget/"+smallPackage+"@10.0.13") ||
					!s.nuget.related(tc.example, "DEPENDS_ON", smallPackage) {
					t.Errorf("%s: no %s: %q", p, smallPackage, purls)
				}
				for _, pack := range tc.packs {
					name := pack + "." + rid
					if rid == "linux-x64" && strings.HasSuffix(pack, ".Host") {
						continue // comes with the SDK
					}
					if !s.nuget.related(tc.example, "DEPENDS_ON", name) {
						t.Errorf("%s: no %s: %q", p, name, purls)
					}
				}
				for _, purl := range purls {
					if slices.ContainsFunc(tc.without, func(w string) bool { return strings.HasPrefix(purl, "pkg:nuget/"+w) }) ||
						strings.Contains(purl, "linux-") && !strings.Contains(purl, rid+"@") {
						t.Errorf("%s: %s is not in the binary", p, purl)
					}
				}
				if !s.nuget.related("Microsoft.NET.ILLink.Tasks", "BUILD_DEPENDENCY_OF", tc.example) {
					t.Errorf("%s: the linker is no tool of the build", p)
				}
				wantNoMachine(t, s.nuget.text, dir)
			}
		})
	}
}

// The document comes without an image too, and is the same; for one app of several, and wherever obj is.
func TestSBOMTarget(t *testing.T) {
	t.Parallel()
	needScanner(t)
	dir, repo, out := shared(t, "sqlite"), repository(t), t.TempDir()
	args := []string{"-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64"}
	log := build(t, dir, append(args, "--target", "sbom", "--output", "type=local,dest="+out, ".")...)
	if strings.Contains(log, "[publish]") {
		t.Errorf("something was published for it:\n%s", log)
	}
	build(t, dir, append(args, "--sbom=true", "-t", repo, "--push", ".")...)
	for p, s := range sbomsOf(t, repo) {
		file := filepath.Join(out, strings.ReplaceAll(p, "/", "_"), "sbom-nuget.spdx.json")
		dt, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var exported, attested any
		if err := json.Unmarshal(dt, &exported); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(s.nuget.text), &attested); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(exported, attested) {
			t.Errorf("%s: exported\n%s\nattested\n%s", p, dt, s.nuget.text)
		}
	}
	// Nothing of it depends on when, or on what has been cached.
	again := t.TempDir()
	build(t, dir, append(args, "--no-cache", "--target", "sbom", "--output", "type=local,dest="+again, ".")...)
	for name, dt := range tree(t, again) {
		if was := tree(t, out)[name]; was != dt {
			t.Errorf("%s differs in a second build:\n%s\n%s", name, was, dt)
		}
	}
	build(t, dir,
		append(args, "--build-arg", "SOURCE_DATE_EPOCH=1700000000", "--target", "sbom", "--output", "type=local,dest="+again,
			".")...)
	wantContains(t, "document", tree(t, again)["linux_amd64/sbom-nuget.spdx.json"], `"created": "2023-11-14T22:13:20Z"`)

	documentOf := func(dir, target string) *document {
		out := t.TempDir()
		build(t, dir, "-f", "crosshull.yaml", "--target", target, "--output", "type=local,dest="+out, ".")
		doc := newDocument(t, []byte(tree(t, out)["sbom-nuget.spdx.json"]))
		wantValid(t, doc)
		return doc
	}
	apps := example(t, "apps")
	edit(t, apps, "Directory.Build.props", "</PropertyGroup>",
		"<UseArtifactsOutput>true</UseArtifactsOutput></PropertyGroup>")
	clock := documentOf(apps, "clock-sbom")
	if !clock.related("DOCUMENT", "DESCRIBES", "clock") || !clock.related("clock", "DEPENDS_ON", "fleet") ||
		clock.find("greeter") != nil {
		t.Errorf("document of clock:\n%s", clock.text)
	}
	file := documentOf(shared(t, "filebased"), "sbom")
	if !file.related("hello", "DEPENDS_ON", "Newtonsoft.Json") {
		t.Errorf("document of a file-based app:\n%s", file.text)
	}
}

// An SBOM costs nothing that has been done, everything runs where the build runs, and no document is made unless it is
// asked for.
func TestSBOMCost(t *testing.T) {
	t.Parallel()
	needScanner(t)
	dir := t.TempDir()
	project(t, dir, "app.csproj", "")
	write(t, dir, "Program.cs",
		"System.Console.WriteLine(\""+fresh()+"\");\n") // what has been scanned is not scanned again
	write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n")
	before := mustSolve(t, dir, platform("linux/amd64,linux/arm64"), attr("multi-platform", "true"))
	for _, name := range before.ran {
		if strings.Contains(name, "scan") || strings.Contains(name, "sbom") || strings.Contains(name, "nuspec files") {
			t.Errorf("nobody asked for %s", name)
		}
	}
	repo := repository(t)
	with := []option{platform("linux/amd64,linux/arm64"), attr("attest:sbom", ""), pushTo(repo)}
	first := mustSolve(t, dir, with...)
	if n := first.count("[restore] dotnet") + first.count("[publish] dotnet"); n != 0 ||
		first.count("[image linux/amd64] scan")+first.count("[image linux/arm64] scan") != 2 {
		t.Errorf("with an SBOM the unchanged build ran %q", first.ran)
	}
	for _, op := range first.execs {
		if op.Platform.Architecture != "amd64" {
			t.Errorf("%v runs on %s", op.GetExec().Meta.Args, op.Platform.Architecture)
		}
	}
	second := mustSolve(t, dir, with...)
	for _, name := range second.ran {
		if regexp.MustCompile(`\] (dotnet|copy|write|scan|merge) `).MatchString(name) {
			t.Errorf("the second time, %s ran", name)
		}
	}
	// The scanner is part of the phase of images.
	third := mustSolve(t, dir, append(with, attr("no-cache", "image"))...)
	if third.count("[image linux/arm64] scan") != 1 || third.count("[restore] dotnet") != 0 {
		t.Errorf("--no-cache-filter image ran %q", third.ran)
	}
	edit(t, dir, "Program.cs", ";", "; // "+fresh())
	edited := mustSolve(t, dir, with...)
	if edited.count("[publish] dotnet") != 1 || edited.count("[restore] dotnet") != 0 ||
		edited.count("[image] copy what packages") != 0 || edited.count("[image linux/arm64] write sbom") != 0 {
		t.Errorf("an edit of a source ran %q", edited.ran)
	}
}

// More can be scanned, and a scanner that is none, or an option that says nothing, is an error.
func TestSBOMScanner(t *testing.T) {
	t.Parallel()
	needScanner(t)
	dir, repo := shared(t, "dotnetapp"), repository(t)
	args := func(more ...string) []string {
		return append(append([]string{"-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "-t", repo, "--push"},
			more...), ".")
	}
	build(t, dir,
		args("--attest", "type=sbom", "--build-arg", "BUILDKIT_SBOM_SCAN_CONTEXT=true",
			"--build-arg", "BUILDKIT_SBOM_SCAN_STAGE=1", "--provenance=false")...)
	for p, statements := range attestations(t, repo) {
		if len(statements) != 5 { // the image, NuGet's graph, the context, packages, projects
			t.Errorf("%s: %d documents, want 5", p, len(statements))
		}
	}
	// By another name, as behind a wall; and another one that --attest names.
	standIn := theLab.ScannerRef()
	if !theLab.LocalImages() {
		standIn = lab.ScannerImage
	}
	log := build(t, dir,
		args("--sbom=true", "--no-cache-filter", "image", "--build-context", lab.ScannerImage+"=docker-image://"+standIn)...)
	wantContains(t, "progress", log, "[context docker/buildkit-syft-scanner:stable-1")
	sbomsOf(t, repo)
	build(t, dir, args("--attest", "type=sbom,generator="+standIn)...)
	sbomsOf(t, repo)
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--attest", "type=sbom,generator=" + theLab.Registry() + "/none:1"}, "SBOM scanner: "},
		{[]string{"--sbom=true", "--build-arg", "BUILDKIT_SBOM_SCAN_STAGE=restore"},
			"BUILDKIT_SBOM_SCAN_STAGE=restore: write true or false"},
	} {
		out, err := tryBuild(t, dir, args(tc.args...)...)
		if err == nil {
			t.Errorf("%q is no error", tc.args)
		}
		wantContains(t, fmt.Sprint(tc.args), out, tc.want)
	}
}

// A builder that has nothing but a cache in a registry neither restores nor scans again for the SBOM, and pulls no
// packages for it.
func TestSBOMCacheOfRegistry(t *testing.T) {
	t.Parallel()
	needScanner(t)
	dir, repo := withPackage(t, "trimmed"), repository(t)
	cache := "type=registry,ref=" + repo + ":cache"
	args := []string{"-f", "crosshull.yaml", "--platform", "linux/amd64,linux/arm64", "--sbom=true", "-t", repo, "--push",
		"--cache-from", cache, "--cache-to", cache + ",mode=max", "."}
	build(t, dir, args...)
	before := sbomsOf(t, repo)
	onFreshBuilder(t)
	log := build(t, dir, args...)
	for _, vertex := range []string{`\[describe\] dotnet`, `\[restore\] dotnet`, `\[publish\] dotnet publish`,
		`\[image\] copy what packages`, `\[image linux/arm64\] scan`} {
		if ran(log, vertex) {
			t.Errorf("%s ran:\n%s", vertex, log)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^#(\d+) \[restore\] dotnet`).FindAllStringSubmatch(log, -1) {
		if strings.Contains(log, "\n#"+m[1]+" sha256:") {
			t.Errorf("packages were pulled:\n%s", log)
		}
	}
	after := sbomsOf(t, repo)
	for p := range before {
		if before[p].nuget.text != after[p].nuget.text || before[p].scanned.text != after[p].scanned.text {
			t.Errorf("%s: the documents differ", p)
		}
	}
}
