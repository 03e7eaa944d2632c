package bench

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
)

// Every goal is of a pair that is measured; a figure's is of a run.
func TestPlanCoversGoals(t *testing.T) {
	for _, g := range goals {
		found := slices.ContainsFunc(plan, func(x experiment) bool {
			return x.project == g.project && x.mode == g.mode && slices.ContainsFunc(x.pairs(), func(p pair) bool {
				return p.situation == g.situation && p.subject.platforms == g.platforms &&
					(g.figure != nil || p.against.is(g.against))
			})
		})
		if !found {
			t.Errorf("%s, %s, %s: %s: %s is not measured", g.project, g.mode, g.platforms, g.situation, g.what())
		}
	}
}

// Everything that there is takes part at least once, and what takes part is compared.
func TestPlanIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, x := range plan {
		p, err := findProject(x.project)
		if err != nil {
			t.Fatal(err)
		}
		seen[x.project], seen[x.mode] = true, true
		for i, e := range x.entrants {
			seen[string(e.contender)], seen[string(e.platforms)] = true, true
			if slices.IndexFunc(x.entrants, e.is) != i {
				t.Errorf("%s, %s: %s for %s is there twice", x.project, x.mode, e.contender, e.platforms)
			}
			if e.platforms == three && x.mode != modePortable {
				t.Errorf("%s, %s: there are no packs for arm/v7", x.project, x.mode)
			}
			for _, s := range e.situations {
				seen[string(s)] = true
				if s == pack && p.pack.file == "" || s == deep && p.deep.file == "" ||
					s == osPack && len(p.packages) < 2 {
					t.Errorf("%s has nothing to change for %q", x.project, s)
				}
				if e.contender.onHost() && s != cold {
					t.Errorf("%s in %q: the host is only measured cold", e.contender, s)
				}
				compared := slices.ContainsFunc(x.pairs(), func(p pair) bool {
					return p.situation == s && (p.subject.is(e) || p.against.is(e))
				})
				if !compared {
					t.Errorf("%s, %s: %s for %s is compared with nothing in %q", x.project, x.mode, e.contender, e.platforms, s)
				}
			}
		}
	}
	var all []string
	for _, p := range projects {
		all = append(all, p.name)
	}
	for _, s := range situations {
		all = append(all, string(s))
	}
	all = append(all, string(crosshull), string(seed), string(seedMounts), string(portable), string(syntax), string(sdk),
		string(floor), string(apt),
		modePortable, modeAppHost, modeSelfContained, modeReadyToRun, string(one), string(two), string(three))
	for _, name := range all {
		if !seen[name] {
			t.Errorf("%q takes no part", name)
		}
	}
}

func TestFilter(t *testing.T) {
	for _, tc := range []struct {
		name                       string
		inCase, situation, against string
		want                       []string // entrants and their situations
	}{
		{"a case", "^dotnetapp.*v7$", "", "", []string{
			"crosshull amd64+arm64+arm/v7 [cold nothing changed app line changed]",
			"portable amd64+arm64+arm/v7 [cold nothing changed app line changed]",
		}},
		{"a situation", "^sqlite.*arm64$", "package", "", []string{
			"crosshull amd64+arm64 [package changed]", "seed amd64+arm64 [package changed]",
			"seed+mounts amd64+arm64 [package changed]",
		}},
		{"another platform", "^aspnetapp, apphost", "", "crosshull",
			[]string{"crosshull amd64 [cold]", "crosshull amd64+arm64 [cold]"}},
		{"the host", "^libraries50", "", "floor|sdk",
			[]string{"crosshull amd64 [cold]", "crosshull amd64+arm64 [cold]", "sdk amd64+arm64 [cold]", "floor amd64 [cold]"}},
		{"none", "^dotnetapp", "", "floor", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := Filter{regexp.MustCompile(tc.inCase), regexp.MustCompile(tc.situation), regexp.MustCompile(tc.against)}
			var got []string
			for _, x := range f.apply(plan) {
				for _, e := range x.entrants {
					got = append(got, string(e.contender)+" "+e.platforms.String()+" "+fmt.Sprint(e.situations))
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	if got := (Filter{}).apply(plan); len(got) != len(plan) || !(Filter{}).Complete() {
		t.Errorf("no filter leaves %d of %d experiments", len(got), len(plan))
	}
}

func TestRotate(t *testing.T) {
	for n, want := range map[int][]int{0: {1, 2, 3}, 1: {2, 3, 1}, 2: {3, 1, 2}, 3: {1, 2, 3}, 7: {2, 3, 1}} {
		if got := rotate([]int{1, 2, 3}, n); !slices.Equal(got, want) {
			t.Errorf("rotated by %d: %v, want %v", n, got, want)
		}
	}
	if got := rotate(nil, 2); got != nil {
		t.Errorf("nothing rotated is %v", got)
	}
}
