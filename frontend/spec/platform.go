package spec

import (
	"slices"
	"strings"

	"github.com/containerd/platforms"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// platformArgs are the build arguments whose value is that of a platform: prefix is BUILD or TARGET. As in a Dockerfile
// a spec has to declare them (dockerfile2llb, defaultArgs).
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

// targetArgs are the names of those of the platform that an image is for.
var targetArgs = func() map[string]bool {
	names := map[string]bool{}
	for name := range platformArgs(target, ocispecs.Platform{}) {
		names[name] = true
	}
	return names
}()

// For gives the spec for a platform: every ${TARGETARCH} and its like in it is what that platform says. Without one it
// is s. The error is an [Errors].
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

// Of gives the spec of one of Apps: [Spec.App] is what there is of it. The name "" gives s.
func (s *Spec) Of(app string) *Spec {
	if app == "" {
		return s
	}
	of := *s
	of.App, of.app = *s.Apps[app], app
	return &of
}

// PerPlatform tells whether the value at a path of keys, or one below it, is another for each platform: [Spec.For]
// gives it. All other values are the same for all of them. As with [Spec.Has], the path is that in the file.
func (s *Spec) PerPlatform(path string) bool { return s.perPlatform[path] }

// perPlatformKeys lists the keys that may differ between platforms, sections for all that is in them.
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
