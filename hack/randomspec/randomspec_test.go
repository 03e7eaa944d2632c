package randomspec

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestSpec(t *testing.T) {
	m, err := New(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for seed := range uint64(20) {
		spec, err := m.Spec(seed)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := m.Spec(seed); again != spec {
			t.Errorf("seed %d gives\n%s\nand then\n%s", seed, spec, again)
		}
		seen[spec] = true
	}
	if len(seen) < 15 {
		t.Errorf("20 seeds give %d specs", len(seen))
	}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name          string
		first, second Outcome
		want          string
	}{
		{"one image", Outcome{Image: "a"}, Outcome{Image: "a"}, ""},
		{"two images", Outcome{Image: "a"}, Outcome{Image: "b"}, "the first build says\na\nand the second one\nb"},
		{"one error", Outcome{Error: "crosshull.yaml:2: no"}, Outcome{Error: "crosshull.yaml:2: no"}, ""},
		{
			"an error of another platform", Outcome{Error: "linux/amd64: no", Place: true},
			Outcome{Error: "linux/arm64: no", Place: true}, "",
		},
		{"an error once", Outcome{Error: "crosshull.yaml:2: no"}, Outcome{Image: "a"}, "and the second one\na"},
		{"no place", Outcome{Error: "no"}, Outcome{Error: "no"}, "no place in the spec"},
		{
			"the inside", Outcome{Error: "crosshull.yaml:2: rpc error"}, Outcome{Error: "crosshull.yaml:2: rpc error"},
			`has "rpc error"`,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := Judge(tc.first, tc.second); err != nil {
				got = err.Error()
			}
			if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
