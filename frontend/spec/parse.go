package spec

import (
	"reflect"
	"slices"

	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// What a spec may be at most. No spec that somebody writes comes near; what does is made to fill a memory.
const (
	maxBytes    = 1 << 20 // of the file
	maxExpanded = 4 << 20 // bytes that build arguments bring
	maxAliased  = 100_000 // values that aliases lead to
	maxMerges   = 100     // maps that merge one another
	maxApps     = 1000
	maxCopied   = 500_000 // values that apps have from the common part
)

// Parse reads a spec. args are the build arguments that the user gives, of which the spec takes those that it declares.
// The error is an [Errors], whose lines are all in the file.
//
// A value with ${TARGETARCH} or its like, where args has none, stays as the file has it until [Spec.For] says for which
// platform it is.
func Parse(dt []byte, args map[string]string) (*Spec, error) {
	return ParseOn(dt, args, ocispecs.Platform{})
}

// ParseOn is [Parse] with the platform that builds, which BUILDPLATFORM, BUILDARCH and their like are of.
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

// spec makes a spec of the file: one for a platform, or one that has yet to become that.
func (src *source) spec(p *ocispecs.Platform) (*Spec, error) {
	s := &Spec{
		lines: map[string]Range{}, used: map[string]bool{}, perPlatform: map[string]bool{}, written: map[string]string{},
		source: src,
	}
	if src.root == nil { // nothing but comments
		return s, nil
	}
	d := &decoder{source: src, into: s, ends: map[*node]int{}}
	if p != nil {
		d.target = platformArgs(target, *p)
	}
	d.value("", src.root, reflect.ValueOf(s).Elem(), field{})
	d.feeds()
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
