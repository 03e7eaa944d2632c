package spec

import (
	"regexp"
	"strings"
)

// Target is what buildx's --target can name.
type Target struct {
	// Name is the name of the target. Where a spec has several apps, that of an app's is the app's name, a dash and this;
	// that of its image is the app's name alone.
	Name string
	// Description says what it gives.
	Description string
	// PerApp tells that every app has one.
	PerApp bool
}

// The names of targets.
const (
	TargetImage   = "image"
	TargetPublish = "publish"
	TargetSBOM    = "sbom"
	TargetSDK     = "sdk"
	TargetTest    = "test"
)

// Targets are all that a spec can have, in the order that lists have them.
var Targets = []Target{
	{TargetImage, "the image of the app", true},
	{TargetPublish, "the published files, for --output type=local", true},
	{TargetSBOM, "the packages of the app as SPDX, for --output type=local", true},
	{TargetSDK, "the SDK with sources and packages, to look inside", true},
	{TargetTest, "runs the tests; their results, for --output type=local", false},
}

// Of is the name of the target for an app of a spec with several; "" is the app of a spec with one.
func (t Target) Of(app string) string {
	switch {
	case app == "":
		return t.Name
	case t.Name == TargetImage:
		return app
	}
	return app + "-" + t.Name
}

// reserved are the names that no app can have, as other targets have them.
var reserved = func() *regexp.Regexp {
	var names, ends []string
	for _, t := range Targets {
		names = append(names, t.Name)
		if t.PerApp && t.Name != TargetImage {
			ends = append(ends, t.Name)
		}
	}
	return regexp.MustCompile("^(" + strings.Join(names, "|") + ")$|-(" + strings.Join(ends, "|") + ")$")
}()

// Reserved says whether an app cannot have a name, as another target has it.
func Reserved(name string) bool { return reserved.MatchString(name) }
