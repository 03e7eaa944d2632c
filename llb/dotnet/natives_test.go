package dotnet

import (
	"strings"
	"testing"
)

// A file that the host does not find or cannot load is told of.
func TestUnloadable(t *testing.T) {
	for _, tc := range []struct {
		name, ids, rid string
		want           bool
	}{
		{"its own", "linux-x64 win-x64", "linux-x64", false},
		{"glibc on musl", "linux-x64", "linux-musl-x64", true},
		{"both", "linux-x64 linux-musl-x64", "linux-musl-x64", false},
		{"musl on glibc", "linux-musl-x64", "linux-x64", true},
		{"any musl", "linux-musl", "linux-musl-arm64", false},
		{"another machine", "linux-x64", "linux-arm64", true},
		{"any Linux", "linux", "linux-musl-arm64", false},
		{"Windows alone", "win-x64 osx-arm64", "linux-x64", false},
		{"phones", "linux-bionic-arm64", "linux-x64", false},
	} {
		var natives []Native
		for _, id := range strings.Fields(tc.ids) {
			natives = append(natives, Native{"P." + id, id, "libp.so"})
		}
		if got := Unloadable(natives, tc.rid); (len(got) > 0) != tc.want {
			t.Errorf("%s: got %q", tc.name, got)
		}
	}
	got := Unloadable([]Native{{"P", "linux-x64", "libp.so"}, {"Q", "linux-x64", "libp.so"}}, "linux-musl-x64")
	const want = "libp.so of package P is for linux-x64 (glibc), and not for linux-musl-x64"
	if len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %s", got, want)
	}
}
