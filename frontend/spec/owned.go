package spec

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// owned are the MSBuild properties that only crosshull sets, with the key to use instead if there is one. Properties
// that begin with Crosshull are its own too. MSBuild ignores case in names.
var owned = map[string]string{
	"Configuration":              "publish.configuration",
	"TargetFramework":            "framework",
	"ContainerBaseImage":         "base.image",
	"ContainerFamily":            "base.family",
	"RuntimeIdentifier":          "buildx's --platform",
	"RuntimeIdentifiers":         "buildx's --platform",
	"SelfContained":              "publish.mode",
	"UseAppHost":                 "publish.mode",
	"PublishAot":                 "publish.mode",
	"PublishTrimmed":             "publish.mode",
	"PublishSingleFile":          "publish.mode",
	"PublishReadyToRun":          "publish.mode",
	"EnableAppHostPackDownload":  "publish.mode",
	"EnableRuntimePackDownload":  "publish.mode",
	"_IsPublishing":              "",
	"OutDir":                     "",
	"PublishDir":                 "",
	"RestorePackagesPath":        "",
	"BaseIntermediateOutputPath": "",
	"MSBuildUserExtensionsPath":  "",
	"CustomAfterMicrosoftCommonCrossTargetingTargets":          "",
	"ImportUserLocationsByWildcardAfterMicrosoftCommonTargets": "",
}

// ownedName matches these names.
var ownedName = func() *regexp.Regexp {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(owned)) {
		names = append(names, anyCase(name))
	}
	return regexp.MustCompile("^(" + strings.Join(names, "|") + ")$|^_?" + anyCase("Crosshull"))
}()

// Owned tells whether only crosshull sets an MSBuild property, and the key to use instead if there is one.
func Owned(name string) (key string, own bool) {
	for property, key := range owned {
		if strings.EqualFold(property, name) {
			return key, true
		}
	}
	return "", ownedName.MatchString(name)
}

// ownedBecause says what to do instead of setting the property.
func ownedBecause(name string) string {
	if key, _ := Owned(name); key != "" {
		return "crosshull sets this property: use " + key
	}
	return "crosshull sets this property itself"
}

var (
	// propertyName is MSBuild's rule (XmlUtilities.IsValidElementName), without the properties that crosshull sets.
	propertyName = &rule{
		is: "letters, digits, - and _, and the first is a letter or _", match: all(`[A-Za-z_][A-Za-z0-9_-]*`),
		not: ownedName, because: ownedBecause, caseless: true,
	}
	// secretName is the rule for a variable that MSBuild sees as a property.
	secretName = &rule{is: isVariable, match: aVariable, not: ownedName, because: ownedBecause}
)
