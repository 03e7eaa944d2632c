package result

import (
	"errors"
	"testing"
)

// What several tests fail for is said once, in the order of the spec.
func TestDistinct(t *testing.T) {
	first, again, second := errors.New("no such type"), errors.New("no such type"), errors.New("1 of 2 tests failed")
	got := errors.Join(distinct([]error{nil, first, nil, again, second, nil})...)
	if want := "no such type\n1 of 2 tests failed"; got == nil || got.Error() != want {
		t.Errorf("%v, want %s", got, want)
	}
	if err := errors.Join(distinct([]error{nil, nil})...); err != nil {
		t.Errorf("nothing failed, and %v", err)
	}
}
