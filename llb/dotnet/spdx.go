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

// SBOMFile is the name of what [SPDX] makes: scanners call theirs sbom.spdx.json, and sbom-NAME.spdx.json for what
// else they look at.
const SBOMFile = "sbom-nuget.spdx.json"

// SBOM is what is known of the parts of an app for a platform.
type SBOM struct {
	App      *App
	Platform string // linux/arm64
	RID      string // of the platform, on the C library of its base
	Graph    *PackagesGraph
	// Facts are the files of [PackagesGraph.Facts] that there are, by name.
	Facts Files
	// Base is what the app runs on, without a name where that has nothing in it. Tools are what built it.
	Base  Image
	Tools []Image
	// Created is the time to tell; nil is a fixed one.
	Created *time.Time
}

// Image is an image that an app is built by or runs on.
type Image struct {
	Name, Tag string // docker.io/library/debian, 12
	Version   string // of what is in it, where that is known; else Tag says
	Platform  string
	// Pinned is what the registry gives for the name. It is empty for an image that did not come from a registry by its
	// name.
	Pinned digest.Digest
	// Manifest is of the image for the platform, where Pinned is of several and it is known.
	Manifest digest.Digest
}

// The parts of SPDX 2.3 (spdx.github.io/spdx-spec/v2.3) that a document has.
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

// noTime is what stands for a time where there is none to tell, as of files.
var noTime = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// SPDX gives an SPDX document in JSON: the app, what it is made of, what it runs on and what it is built by. The same
// parts give the same bytes.
//
// Packages of which nothing is in the image are named by BUILD_DEPENDENCY_OF, and without a package URL: what wrote
// code into the app should be found, by one who looks for it, but most that read such documents do not look at
// relationships, and would take each package URL for a part of the image.
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
	for _, tool := range s.Tools {
		id := ids.add("image", path.Base(tool.Name), tool.Tag)
		doc.Packages = append(doc.Packages, tool.spdx(id))
		doc.relate(id, "BUILD_TOOL_OF", spdxAppID)
	}
	return doc.marshal()
}

// marshal writes the document, with a namespace made of its content.
func (doc *spdxDocument) marshal() ([]byte, error) {
	dt, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("write SPDX: %w", err)
	}
	hash := sha256.Sum256(dt)
	doc.DocumentNamespace = "https://spdx.org/spdxdocs/crosshull-" + hex.EncodeToString(hash[:])
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // package URLs have ampersands
	enc.SetIndent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return nil, fmt.Errorf("write SPDX: %w", err)
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

// component is the entry of a package or project. The checksum is of the package as feeds have it. The one in
// project.assets.json is another for each signed package, as it leaves the signature out.
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

// spdx is the entry of an image. The package URL is the one that BuildKit's provenance has for it, and its digest.
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

// spdxIDs are identifiers, each for one thing.
type spdxIDs map[string]bool

var notInSPDXID = regexp.MustCompile(`[^A-Za-z0-9.-]`)

// add makes an identifier of parts of a name.
func (ids spdxIDs) add(parts ...string) string {
	id := spdxIDPrefix + notInSPDXID.ReplaceAllString(strings.TrimRight(strings.Join(parts, "-"), "-"), "-")
	for ids[id] || id == spdxAppID || id == spdxDocID {
		id += "-" // of another package: names may have an underscore in the same place
	}
	ids[id] = true
	return id
}

// licenseExpression matches what NuGet lets pass as an expression of SPDX, without licences of one's own: those would
// have to be in the document.
var licenseExpression = regexp.MustCompile(`^[A-Za-z0-9.+() -]+$`)

// license is what the author of a package declares in its nuspec, where that is an expression of SPDX.
func license(nuspec []byte) string {
	var doc struct {
		Metadata struct {
			License struct {
				Type string `xml:"type,attr"`
				Text string `xml:",chardata"`
			} `xml:"license"`
		} `xml:"metadata"`
	}
	if err := xml.Unmarshal(nuspec, &doc); err != nil { // in another encoding, say
		return noAssertion
	}
	text := strings.TrimSpace(doc.Metadata.License.Text)
	if doc.Metadata.License.Type != "expression" || !licenseExpression.MatchString(text) ||
		strings.Contains(text, "Ref-") {
		return noAssertion
	}
	return text
}
