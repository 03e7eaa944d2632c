// Package hangs has tests that never end, and some that do.
package hangs

import (
	"fmt"
	"os/exec"
	"testing"
	"time"
)

func TestBefore(t *testing.T) { t.Log("this is not shown") }

func TestHangs(t *testing.T) {
	cmd := exec.Command("sleep", "3600")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Println("sleeper:", cmd.Process.Pid)
	t.Log("said before it hangs")
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestParts(t *testing.T) {
	t.Run("before", func(*testing.T) {})
	t.Run("one that hangs", func(*testing.T) { time.Sleep(time.Hour) })
	t.Run("after", func(*testing.T) {})
}

// Its parts wait for their parent, which hangs.
func TestParent(t *testing.T) {
	t.Run("part", func(t *testing.T) { t.Parallel() })
	time.Sleep(time.Hour)
}

func TestBesideHanging(t *testing.T) {
	t.Parallel()
	time.Sleep(time.Hour)
}

// Not one of its parts takes too long.
func TestLong(t *testing.T) {
	t.Parallel()
	for range 4 {
		t.Run("part", func(t *testing.T) { time.Sleep(500 * time.Millisecond) })
	}
	t.Attr("spent-build", "1.500")
	t.Attr("spent-build", "0.500")
}

func TestSkipped(t *testing.T) { t.Skip("not today") }

func TestAfter(*testing.T) {}
