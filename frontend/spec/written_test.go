package spec

import (
	"reflect"
	"slices"
	"testing"

	"github.com/containerd/platforms"
)

// Values with build arguments are available as the file has them.
func TestParts(t *testing.T) {
	s, err := Parse([]byte(`
args: {A: one, B: two, TARGETARCH: }
image:
  user: app
  env:
    PLAIN: text
    WHOLE: ${A}
    MIXED: x${A}-${B}$${A}${
    ESCAPED: $${A}
    ARCH: ${TARGETARCH}/${A}
  labels: {com.example.a: "${A}${B}"}
apps:
  web:
    image: {env: {WHOLE: "${B}"}}
`), map[string]string{"B": "given"})
	if err != nil {
		t.Fatal(err)
	}
	arm, err := s.For(platforms.MustParse("linux/arm64"))
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		of   *Spec
		path string
		want []Part
	}{
		{s, "image.user", nil},
		{s, "image.env.PLAIN", nil},
		{s, "image.env.ESCAPED", nil},
		{s, "image.env.NONE", nil},
		{s, "image.env.WHOLE", []Part{{"one", "A"}}},
		{s, "image.env.MIXED", []Part{{"x", ""}, {"one", "A"}, {"-", ""}, {"given", "B"}, {"${A}${", ""}}},
		{s, "image.env.ARCH", nil},
		{arm, "image.env.ARCH", []Part{{"arm64", "TARGETARCH"}, {"/", ""}, {"one", "A"}}},
		{s, "image.labels.com.example.a", []Part{{"one", "A"}, {"given", "B"}}},
		{s, "apps.web.image.env.WHOLE", []Part{{"given", "B"}}},
	} {
		if got := tc.of.Parts(tc.path); !reflect.DeepEqual(got, tc.want) {
			t.Errorf("%s is %q, want %q", tc.path, got, tc.want)
		}
	}
	want := []string{"apps.web.image.env.WHOLE", "image.env.MIXED", "image.env.WHOLE", "image.labels.com.example.a"}
	if got := s.WithArgs(); !slices.Equal(got, want) {
		t.Errorf("values with arguments: %q, want %q", got, want)
	}
	if got := arm.WithArgs(); !slices.Contains(got, "image.env.ARCH") {
		t.Errorf("of a platform: %q", got)
	}
}
