package spec

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// owned are the MSBuild properties that crosshull sets itself, with the key that says the same where there is one.
// Those that begin with Crosshull are its own too. MSBuild compares names without case.
var owned = map[string]string{
	"Configuration":                     "publish.configuration",
	"TargetFramework":                   "framework",
	"ContainerBaseImage":                "base.image",
	"ContainerFamily":                   "base.family",
	"RuntimeIdentifier":                 "buildx's --platform",
	"RuntimeIdentifiers":                "buildx's --platform",
	"SelfContained":                     "publish.mode",
	"UseAppHost":                        "publish.mode",
	"PublishAot":                        "publish.mode",
	"PublishTrimmed":                    "publish.mode",
	"PublishSingleFile":                 "publish.mode",
	"PublishReadyToRun":                 "publish.mode",
	"EnableAppHostPackDownload":         "publish.mode",
	"EnableRuntimePackDownload":         "publish.mode",
	"_IsPublishing":                     "",
	"OutDir":                            "",
	"PublishDir":                        "",
	"RestorePackagesPath":               "",
	"BaseIntermediateOutputPath":        "",
	"CustomAfterMicrosoftCommonTargets": "",
	"CustomAfterMicrosoftCommonCrossTargetingTargets": "",
}

// ownedName finds them among names.
var ownedName = func() *regexp.Regexp {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(owned)) {
		names = append(names, anyCase(name))
	}
	return regexp.MustCompile("^(" + strings.Join(names, "|") + ")$|^_?" + anyCase("Crosshull"))
}()

// ownedBecause tells what to do in place of setting one.
func ownedBecause(name string) string {
	for own, key := range owned {
		if key != "" && strings.EqualFold(own, name) {
			return "crosshull sets this property: use " + key
		}
	}
	return "crosshull sets this property itself"
}

var (
	// propertyName is MSBuild's rule (XmlUtilities.IsValidElementName), without what crosshull sets.
	propertyName = &rule{
		is: "letters, digits, - and _, a letter or _ first, as MSBuild has it", match: all(`[A-Za-z_][A-Za-z0-9_-]*`),
		not: ownedName, because: ownedBecause, caseless: true,
	}
	// secretName is a variable that MSBuild sees as a property.
	secretName = &rule{is: isVariable, match: aVariable, not: ownedName, because: ownedBecause}
)
