package apt

import (
	"reflect"
	"testing"
)

// FuzzAnswers reads what the installer and the base leave. A package has a name, and reading twice gives the same.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`[{"name": "curl", "version": "7.88.1", "architecture": "amd64", "sha256": "00"}]`))
	f.Add([]byte("E: Unable to locate package x\nW: other\ncrosshull: y\n"))
	f.Add([]byte("Problem with MergeList /state/lists/a_b%5fc%zz_Packages.gz\nother\n"))
	f.Add([]byte("ID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n"))
	f.Fuzz(func(t *testing.T, dt []byte) {
		read := func() any {
			packages, err := ParseList(dt)
			return []any{packages, err == nil, ParseErrors(dt), ParseRelease(dt)}
		}
		if first, second := read(), read(); !reflect.DeepEqual(first, second) {
			t.Errorf("at first %v, and then %v", first, second)
		}
	})
}
