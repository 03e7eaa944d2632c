package spec

import (
	"slices"
	"strings"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// platformArgs are the build arguments whose value is that of a platform. prefix is BUILD or TARGET. As in a
// Dockerfile, a spec has to declare them (dockerfile2llb, defaultArgs).
func platformArgs(prefix string, p ocispecs.Platform) map[string]string {
	format := platforms.Format
	if prefix == target {
		format = platforms.FormatAll
	}
	return map[string]string{
		prefix + "PLATFORM":  format(p),
		prefix + "OS":        p.OS,
		prefix + "OSVERSION": p.OSVersion,
		prefix + "ARCH":      p.Architecture,
		prefix + "VARIANT":   p.Variant,
	}
}

const (
	target = "TARGET"
	build  = "BUILD"
)

// targetArgs are the names of the arguments for the platform of an image.
var targetArgs = func() map[string]bool {
	names := map[string]bool{}
	for name := range platformArgs(target, ocispecs.Platform{}) {
		names[name] = true
	}
	return names
}()

// For returns the spec for a platform, with the platform's values for ${TARGETARCH} and similar arguments. If s has
// none of them, it returns s. The error is an [Errors].
func (s *Spec) For(p ocispecs.Platform) (*Spec, error) {
	if len(s.perPlatform) == 0 {
		return s, nil
	}
	made, err := s.source.spec(&p)
	if err != nil {
		for _, mistake := range AsErrors(err) {
			mistake.Msg += ", for " + platforms.Format(p)
		}
		return nil, err
	}
	made.perPlatform = s.perPlatform
	return made.Of(s.app), nil
}

// Of returns the spec of one of Apps: its [Spec.App] is that app. The name "" returns s.
func (s *Spec) Of(app string) *Spec {
	if app == "" {
		return s
	}
	of := *s
	of.App, of.app = *s.Apps[app], app
	return &of
}

// PerPlatform tells whether the value at a path of keys, or a value below it, depends on the platform. [Spec.For] sets
// such values. As for [Spec.Has], the path is the one in the file.
func (s *Spec) PerPlatform(path string) bool { return s.perPlatform[path] }

// perPlatformKeys lists the keys that may differ between platforms. A section stands for all keys in it.
var perPlatformKeys = func() string {
	var list []string
	for _, k := range keys() {
		path := strings.ReplaceAll(k.path, "[]", "")
		if first, rest, _ := strings.Cut(path, "."); k.platform {
			key, _, _ := strings.Cut(rest, ".")
			list = append(list, first+"."+key)
		}
	}
	return strings.Join(slices.Compact(list), ", ")
}()
