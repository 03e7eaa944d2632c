package bench

import (
	"strings"
	"testing"
)

func TestParseBusy(t *testing.T) {
	for _, tc := range []struct {
		name, stat string
		want       float64
		err        string
	}{
		{name: "all but idle, iowait, steal and guests",
			stat: "cpu  100 20 300 4000 50000 6 7 800000 9000000 0\ncpu0 1 1 1 1 1 1 1\n", want: 4.33},
		{name: "something else", stat: "intr 1 2 3\n", err: "unexpected /proc/stat"},
		{name: "no number", stat: "cpu a b c d e f g h\n", err: "invalid syntax"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := parseBusy([]byte(tc.stat))
			if (tc.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Fatalf("error %v, want %q", err, tc.err)
			}
			if got != tc.want {
				t.Errorf("%v s, want %v", got, tc.want)
			}
		})
	}
}

func TestTimed(t *testing.T) {
	wall, cpu, err := timed(func() error { return nil })
	if err != nil || wall <= 0 || cpu < 0 {
		t.Errorf("nothing takes %v s and %v s of CPU, %v", wall, cpu, err)
	}
}
