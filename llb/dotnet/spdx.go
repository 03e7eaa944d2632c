package dotnet

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	digest "github.com/opencontainers/go-digest"
)

// SBOMFile is the name of the file that [SPDX] makes. Scanners call their main document sbom.spdx.json, and further
// ones sbom-NAME.spdx.json.
const SBOMFile = "sbom-nuget.spdx.json"

// SBOMFileOf is the name for a further app of an image, by its folder there.
func SBOMFileOf(dir string) string {
	return "sbom-nuget-" + strings.NewReplacer("-", "--", "/", "-").Replace(strings.Trim(dir, "/")) + ".spdx.json"
}

// SBOM is what is known about the parts of an app for a platform.
type SBOM struct {
	App      *App
	Platform string // linux/arm64
	RID      string // of the platform, with the C library of its base
	Graph    *PackagesGraph
	// Facts are those of the files of [PackagesGraph.Facts] that exist, by name.
	Facts Files
	// Base is the image that the app runs on. It has no name if it is empty. Tools are the images that built the app.
	Base  Image
	Tools []Image
	// System are packages of the distribution that the image has beside those of its base.
	System []SystemPackage
	// Created is the time in the document; nil: a fixed time.
	Created *time.Time
}

// SystemPackage is a package of a distribution.
type SystemPackage struct {
	Name, Version string
	PURL          string // its package URL
	SHA256        string // of its archive
}

// Image is an image that builds an app, or that an app runs on.
type Image struct {
	Name, Tag string // docker.io/library/debian, 12
	Version   string // of the software in it, if known; otherwise see Tag
	Platform  string
	// Pinned is the digest that the registry gives for the name. It is empty for an image that did not come from a
	// registry by its name.
	Pinned digest.Digest
	// Manifest is the digest of the image for the platform, if Pinned is an index and the digest is known.
	Manifest digest.Digest
}

// The parts of SPDX 2.3 (spdx.github.io/spdx-spec/v2.3) that a document uses.
type (
	spdxDocument struct {
		SPDXVersion       string             `json:"spdxVersion"`
		DataLicense       string             `json:"dataLicense"`
		SPDXID            string             `json:"SPDXID"`
		Name              string             `json:"name"`
		DocumentNamespace string             `json:"documentNamespace"`
		CreationInfo      spdxCreation       `json:"creationInfo"`
		Packages          []spdxPackage      `json:"packages"`
		Relationships     []spdxRelationship `json:"relationships"`
	}
	spdxCreation struct {
		Created  string   `json:"created"`
		Creators []string `json:"creators"`
	}
	spdxPackage struct {
		SPDXID                string         `json:"SPDXID"`
		Name                  string         `json:"name"`
		VersionInfo           string         `json:"versionInfo,omitempty"`
		PrimaryPackagePurpose string         `json:"primaryPackagePurpose,omitempty"`
		SourceInfo            string         `json:"sourceInfo,omitempty"`
		DownloadLocation      string         `json:"downloadLocation"`
		FilesAnalyzed         bool           `json:"filesAnalyzed"`
		LicenseConcluded      string         `json:"licenseConcluded"`
		LicenseDeclared       string         `json:"licenseDeclared"`
		CopyrightText         string         `json:"copyrightText"`
		Checksums             []spdxChecksum `json:"checksums,omitempty"`
		ExternalRefs          []spdxRef      `json:"externalRefs,omitempty"`
	}
	spdxChecksum struct {
		Algorithm     string `json:"algorithm"`
		ChecksumValue string `json:"checksumValue"`
	}
	spdxRef struct {
		ReferenceCategory string `json:"referenceCategory"`
		ReferenceType     string `json:"referenceType"`
		ReferenceLocator  string `json:"referenceLocator"`
	}
	spdxRelationship struct {
		SPDXElementID      string `json:"spdxElementId"`
		RelationshipType   string `json:"relationshipType"`
		RelatedSPDXElement string `json:"relatedSpdxElement"`
	}
)

const (
	noAssertion  = "NOASSERTION"
	spdxDocID    = "SPDXRef-DOCUMENT"
	spdxAppID    = "SPDXRef-App"
	spdxIDPrefix = "SPDXRef-"
)

// noTime is the time in a document for which no other time is known. Files in layers have the same time.
var noTime = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// SPDX returns an SPDX document in JSON: the app, its parts, what it runs on and what built it. The same parts give the
// same bytes.
//
// Packages without a file in the image have the relationship BUILD_DEPENDENCY_OF, and no package URL. They may have
// written code into the app, so a reader must be able to find them. But most tools ignore relationships, and would take
// each package URL for a part of the image.
func SPDX(s SBOM) ([]byte, error) {
	components, err := s.Graph.components(s.App, s.RID)
	if err != nil {
		return nil, err
	}
	created := noTime
	if s.Created != nil {
		created = s.Created.UTC()
	}
	name := cmp.Or(s.App.AssemblyName, strings.TrimSuffix(path.Base(s.App.Path), path.Ext(s.App.Path)))
	doc := &spdxDocument{
		SPDXVersion:  "SPDX-2.3",
		DataLicense:  "CC0-1.0",
		SPDXID:       spdxDocID,
		Name:         name + " for " + s.Platform,
		CreationInfo: spdxCreation{created.Format(time.RFC3339), []string{"Tool: crosshull"}},
	}
	app := newSPDXPackage(spdxAppID, name, s.Graph.Project.Version, "APPLICATION")
	app.SourceInfo = s.App.Path
	doc.Packages = append(doc.Packages, app)
	doc.relate(spdxDocID, "DESCRIBES", spdxAppID)

	ids := spdxIDs{}
	byKey := map[string]string{}
	for _, c := range components {
		byKey[c.key()] = ids.add(c.name, c.version)
		doc.Packages = append(doc.Packages, s.component(byKey[c.key()], c))
	}
	for _, c := range components {
		switch {
		case !c.shipped:
			doc.relate(byKey[c.key()], "BUILD_DEPENDENCY_OF", spdxAppID)
		case c.direct:
			doc.relate(spdxAppID, "DEPENDS_ON", byKey[c.key()])
		}
		for _, need := range c.needs {
			doc.relate(byKey[c.key()], "DEPENDS_ON", byKey[need])
		}
	}
	if s.Base.Name != "" {
		base := ids.add("image", path.Base(s.Base.Name), s.Base.Tag)
		doc.Packages = append(doc.Packages, s.Base.spdx(base))
		doc.relate(base, "RUNTIME_DEPENDENCY_OF", spdxAppID)
	}
	for _, p := range s.System {
		id := ids.add("os", p.Name, p.Version)
		doc.Packages = append(doc.Packages, p.spdx(id))
		doc.relate(id, "RUNTIME_DEPENDENCY_OF", spdxAppID)
	}
	for _, tool := range s.Tools {
		id := ids.add("image", path.Base(tool.Name), tool.Tag)
		doc.Packages = append(doc.Packages, tool.spdx(id))
		doc.relate(id, "BUILD_TOOL_OF", spdxAppID)
	}
	return doc.marshal()
}

// marshal writes the document, and makes its namespace from the content.
func (doc *spdxDocument) marshal() ([]byte, error) {
	dt, err := json.Marshal(doc)
	if err != nil {
		return nil, Bug(fmt.Errorf("write SPDX: %w", err))
	}
	hash := sha256.Sum256(dt)
	doc.DocumentNamespace = "https://spdx.org/spdxdocs/crosshull-" + hex.EncodeToString(hash[:])
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // package URLs contain ampersands
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return nil, Bug(fmt.Errorf("write SPDX: %w", err))
	}
	return b.Bytes(), nil
}

func (doc *spdxDocument) relate(a, relationship, b string) {
	doc.Relationships = append(doc.Relationships, spdxRelationship{a, relationship, b})
}

func newSPDXPackage(id, name, version, purpose string) spdxPackage {
	return spdxPackage{
		SPDXID:                id,
		Name:                  name,
		VersionInfo:           version,
		PrimaryPackagePurpose: purpose,
		DownloadLocation:      noAssertion,
		LicenseConcluded:      noAssertion,
		LicenseDeclared:       noAssertion,
		CopyrightText:         noAssertion,
	}
}

func (p *spdxPackage) locate(purl string) {
	p.ExternalRefs = append(p.ExternalRefs, spdxRef{"PACKAGE-MANAGER", "purl", purl})
}

// component is the entry of a package or project. The checksum is that of the package as feeds have it.
// project.assets.json has another one for each signed package, which leaves out the signature.
func (s SBOM) component(id string, c component) spdxPackage {
	purpose := ""
	switch {
	case c.pack:
		purpose = "FRAMEWORK"
	case c.shipped:
		purpose = "LIBRARY"
	}
	p := newSPDXPackage(id, c.name, c.version, purpose)
	if c.project != "" {
		p.SourceInfo = path.Join(path.Dir(s.App.Path), c.project)
		return p
	}
	nuspec, hash := c.facts()
	p.LicenseDeclared = license(s.Facts[nuspec])
	if sum, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(s.Facts[hash]))); err == nil && len(sum) > 0 {
		p.Checksums = []spdxChecksum{{"SHA512", hex.EncodeToString(sum)}}
	}
	if c.shipped {
		p.locate("pkg:nuget/" + url.PathEscape(c.name) + "@" + url.PathEscape(c.version))
	}
	return p
}

// spdx is the entry of a package of the distribution.
func (p SystemPackage) spdx(id string) spdxPackage {
	entry := newSPDXPackage(id, p.Name, p.Version, "")
	entry.Checksums = []spdxChecksum{{"SHA256", p.SHA256}}
	entry.locate(p.PURL)
	return entry
}

// spdx is the entry of an image. It has the same package URL as in BuildKit's provenance, and the digest.
func (img Image) spdx(id string) spdxPackage {
	p := newSPDXPackage(id, img.Name, cmp.Or(img.Version, img.Tag), "CONTAINER")
	if img.Pinned == "" {
		return p
	}
	p.Checksums = []spdxChecksum{{"SHA256", cmp.Or(img.Manifest, img.Pinned).Encoded()}}
	purl := "pkg:docker/" + strings.TrimPrefix(strings.TrimPrefix(img.Name, "docker.io/"), "library/")
	if img.Tag != "" {
		purl += "@" + url.PathEscape(img.Tag)
	}
	p.locate(purl + "?digest=" + img.Pinned.String() + "&platform=" + url.QueryEscape(img.Platform))
	return p
}

// spdxIDs are identifiers. Each one stands for one thing.
type spdxIDs map[string]bool

var notInSPDXID = regexp.MustCompile(`[^A-Za-z0-9.-]`)

// add makes an identifier from parts of a name.
func (ids spdxIDs) add(parts ...string) string {
	id := spdxIDPrefix + notInSPDXID.ReplaceAllString(strings.TrimRight(strings.Join(parts, "-"), "-"), "-")
	for ids[id] || id == spdxAppID || id == spdxDocID {
		id += "-" // of another package: a name may have an underscore in the same place
	}
	ids[id] = true
	return id
}

// licenseExpression matches what NuGet accepts as an SPDX expression, without custom licences: the document would have
// to contain those.
var licenseExpression = regexp.MustCompile(`^[A-Za-z0-9.+() -]+$`)

// license is the SPDX expression that the author of a package declares in its nuspec, if it is one.
func license(nuspec []byte) string {
	var doc struct {
		Metadata struct {
			License struct {
				Type string `xml:"type,attr"`
				Text string `xml:",chardata"`
			} `xml:"license"`
		} `xml:"metadata"`
	}
	if err := xml.Unmarshal(nuspec, &doc); err != nil { // for example, in another encoding
		return noAssertion
	}
	text := strings.TrimSpace(doc.Metadata.License.Text)
	if doc.Metadata.License.Type != "expression" || !licenseExpression.MatchString(text) ||
		strings.Contains(text, "Ref-") {
		return noAssertion
	}
	return text
}
