package spec

import (
	"reflect"
	"slices"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Limits of a spec. No spec that a person writes comes near them. A file that does is made to fill the memory.
const (
	maxBytes    = 1 << 20 // of the file
	maxExpanded = 4 << 20 // bytes that build arguments add
	maxAliased  = 100_000 // values read through aliases
	maxMerges   = 100     // maps that merge one another
	maxApps     = 1000
	maxCopied   = 500_000 // values that apps inherit from the common part
)

// Parse reads a spec. args are the build arguments from the user. The spec uses only the ones that it declares. The
// error is an [Errors], and all its lines are in the file.
//
// If a value has ${TARGETARCH} or a similar argument and args does not set it, the value stays as in the file until
// [Spec.For] sets the platform.
func Parse(dt []byte, args map[string]string) (*Spec, error) {
	return ParseOn(dt, args, ocispecs.Platform{})
}

// ParseOn is [Parse] with the platform that builds. BUILDPLATFORM, BUILDARCH and similar arguments get their values
// from it.
func ParseOn(dt []byte, args map[string]string, on ocispecs.Platform) (*Spec, error) {
	src, err := read(dt)
	if err != nil {
		return nil, err
	}
	src.given = args
	if on.OS != "" {
		src.build = platformArgs(build, on)
	}
	return src.spec(nil)
}

// spec makes a spec of the file, for one platform or for none yet.
func (src *source) spec(p *ocispecs.Platform) (*Spec, error) {
	s := &Spec{
		lines: map[string]Range{}, used: map[string]bool{}, perPlatform: map[string]bool{}, written: map[string]string{},
		source: src,
	}
	if src.root == nil { // only comments
		return s, nil
	}
	d := &decoder{source: src, into: s, ends: map[*node]int{}}
	if p != nil {
		d.target = platformArgs(target, *p)
	}
	d.value("", src.root, reflect.ValueOf(s).Elem(), field{})
	d.feeds()
	d.files()
	d.commands()
	d.env()
	if len(d.errs) == 0 {
		d.none()
		d.idle()
	}
	s.args = d.args
	if len(s.perPlatform) == 0 {
		s.source = nil
	}
	if len(d.errs) > 0 {
		slices.SortStableFunc(d.errs, func(a, b *Error) int { return a.Range.Start - b.Range.Start })
		return nil, d.errs
	}
	return s, nil
}
