// Package fine has tests that pass.
package fine

import (
	"fmt"
	"testing"
)

func TestFine(t *testing.T) {
	t.Run("part", func(*testing.T) {})
}

func FuzzFine(f *testing.F) {
	f.Add(1)
	f.Fuzz(func(*testing.T, int) {})
}

func Example() {
	fmt.Println("fine")
	// Output: fine
}
