package bench

import (
	"fmt"
	"strings"
	"testing"
)

// What contenders are given to build, as a golden file.
func TestRecipes(t *testing.T) {
	var out strings.Builder
	for _, r := range []struct {
		project, mode string
		contender     contender
		platforms     platforms
		base          string
	}{
		{aspnetapp, modePortable, crosshull, three, ""},
		{aspnetapp, modeReadyToRun, crosshull, two, "127.0.0.1:5000/base:10.0-noble"},
		{aspnetapp, modePortable, seed, two, ""},
		{aspnetapp, modePortable, seed, three, ""},
		{aspnetapp, modePortable, syntax, two, ""},
		{libraries50, modePortable, portable, three, "127.0.0.1:5000/base:10.0-noble"},
		{sqlite, modePortable, seedMounts, two, ""},
		{aspnetapp, modeAppHost, seed, two, ""},
		{aspnetapp, modeSelfContained, seed, two, ""},
		{aspnetapp, modeReadyToRun, seed, two, ""},
		{ospackages, modePortable, crosshull, three, "127.0.0.1:5000/base:10.0-noble"},
		{ospackages, modePortable, apt, one, ""},
	} {
		p, err := findProject(r.project)
		if err != nil {
			t.Fatal(err)
		}
		name, content := recipe{project: p, mode: r.mode, contender: r.contender, platforms: r.platforms, base: r.base,
			cacheID: "nonce", packages: p.packages}.file()
		fmt.Fprintf(&out, "== %s, %s: %s for %s: %s\n\n%s\n", r.project, r.mode, r.contender, r.platforms, name, content)
	}
	golden(t, "recipes.txt", out.String())
}

func TestRuntimeIdentifiers(t *testing.T) {
	if got := runtimeIdentifiers(three); got != `"linux-x64;linux-arm64;linux-arm"` {
		t.Errorf("got %s", got)
	}
}
