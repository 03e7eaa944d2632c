// Package panics has tests that end the test binary.
package panics

import (
	"os"
	"testing"
	"time"
)

func TestPanics(*testing.T) { panic("out of order") }

func TestPartPanics(t *testing.T) {
	t.Run("before", func(*testing.T) {})
	t.Run("part", func(*testing.T) { panic("out of order") })
	t.Run("after", func(*testing.T) {})
}

func TestGoroutinePanics(*testing.T) {
	go panic("somewhere else")
	time.Sleep(time.Minute)
}

func TestExits(*testing.T) { os.Exit(3) }

func TestAfter(*testing.T) {}
