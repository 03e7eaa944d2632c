package apt

import "testing"

func TestPURL(t *testing.T) {
	const debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n"
	for _, tc := range []struct {
		release string
		p       Package
		want    string
	}{
		{debian, Package{Name: "libstdc++6", Version: "12.2.0-14+deb12u1", Architecture: "arm64"},
			"pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=arm64&distro=debian-12"},
		{"ID=ubuntu\nVERSION_ID=\"24.04\"\n", Package{Name: "tzdata", Version: "2:2026a~rc1-0", Architecture: "all"},
			"pkg:deb/ubuntu/tzdata@2:2026a~rc1-0?arch=all&distro=ubuntu-24.04"},
		{debian, Package{Name: "libc6", Version: "2.36-9", Architecture: "arm64", Source: "glibc"},
			"pkg:deb/debian/libc6@2.36-9?arch=arm64&distro=debian-12&upstream=glibc"},
		{debian, Package{Name: "g++", Version: "4:12.2.0-3", Architecture: "arm64", Source: "gcc-defaults (1.203+b1)"},
			"pkg:deb/debian/g%2B%2B@4:12.2.0-3?arch=arm64&distro=debian-12&upstream=gcc-defaults%401.203%2Bb1"},
		{"ID='kali'", Package{Name: "a", Version: "1", Architecture: "all"}, "pkg:deb/kali/a@1?arch=all"},
		{"", Package{Name: "a", Version: "1", Architecture: "all"}, "pkg:deb/a@1?arch=all"},
	} {
		if got := tc.p.PURL(ParseRelease([]byte(tc.release))); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}
