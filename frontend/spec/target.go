package spec

import (
	"regexp"
	"strings"
)

// Target is a name for buildx's --target.
type Target struct {
	// Name is the name of the target. In a spec with several apps, the target of one app is the app's name, a dash and
	// this name. The target of an app's image is the app's name alone.
	Name string
	// Description says what the target builds.
	Description string
	// PerApp tells whether every app has one.
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

// Targets are all possible targets of a spec, in the order for lists.
var Targets = []Target{
	{TargetImage, "the image of the app", true},
	{TargetPublish, "the published files, for --output type=local", true},
	{TargetSBOM, "the packages of the app as SPDX, for --output type=local", true},
	{TargetSDK, "the SDK with sources and packages, to look inside", true},
	{TargetTest, "runs the tests; their results, for --output type=local", false},
}

// Of returns the name of the target for an app of a spec with several apps. "" is the app of a spec with one app.
func (t Target) Of(app string) string {
	switch {
	case app == "":
		return t.Name
	case t.Name == TargetImage:
		return app
	}
	return app + "-" + t.Name
}

// reserved are names that no app can have, because other targets have them.
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

// Reserved tells whether an app cannot have a name because another target has it.
func Reserved(name string) bool { return reserved.MatchString(name) }
