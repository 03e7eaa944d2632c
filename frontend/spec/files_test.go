package spec

import (
	"strings"
	"testing"

	"github.com/containerd/platforms"
)

// An entry has the keys of one kind.
func TestFileShapes(t *testing.T) {
	sum, one, two := "sha256:"+strings.Repeat("a", 64), strings.Repeat("1", 40), strings.Repeat("2", 40)
	for in, want := range map[string]string{
		"files:\n  - {link: /a, from: b}":                "line 2: an entry of files with link has only to beside it",
		"files:\n  - link: /a\n    to: /b\n    mode: 7":  "line 4: files.0.mode",
		"files:\n  - link: /a\n    to: /b\n    owner: 7": "line 4: files.0: owner does not go with link: it takes link, to",
		"files:\n  - link: /a":                           "line 2: a link in files needs the key to",
		"files:\n  - remove: /a\n    to: /b":             "line 3: an entry of files with remove has no other key",
		"files:\n  - remove: /a\n    mode: 0755":         "line 3: files.0: mode does not go with remove",
		"files:\n  - change: /a":                         "line 2: files.0: change needs mode or owner",
		"files:\n  - {change: /a, owner: 7, unpack: true}": "line 2: files.0: unpack does not go with change: it takes " +
			"change, mode, owner",
		"files:\n  - to: /a\n    unpack: true": "line 3: files.0: unpack does not go with an empty folder (there is " +
			"no from): it takes to, mode, owner",
		"files:\n  - {image: a, unpack: true, to: /b}":           "line 2: files.0: unpack needs from",
		"files:\n  - {from: a, strip: 1, to: /b}":                "line 2: files.0: strip is for archives",
		"files:\n  - {image: a, context: b, to: /b}":             "line 2: an entry of files has context or image, not both",
		"files:\n  - {from: [a, b], to: /c}":                     "line 2: files.0: several files go into a folder",
		"files:\n  - {from: a, checksum: '" + sum + "', to: /b}": "line 2: files.0: checksum is for an address",
		"files:\n  - {from: ['https://a/b', c], to: /d/}":        "line 2: files.0: an address must be the only one",
		"files:\n  - {image: a, from: 'https://a/b', to: /c}":    "line 2: files.0: an address is in no context",
		"files:\n  - {from: 'https://a/b.git', checksum: '" + sum + "', to: /c}": "line 2: files.0: the checksum of a git " +
			"repository is a commit",
		"files:\n  - {from: 'https://a/b', checksum: " + strings.Repeat("a", 40) + ", to: /c}": "line 2: files.0: the " +
			"checksum of a file begins with sha256:",
		"files:\n  - {from: 'https://a/b.git', unpack: true, to: /c}": "line 2: files.0: a git repository is no archive",
		"files:\n  - {from: 'https://a/b.git?keep-git-dir=true', to: /c}": "line 2: files.0: the address has keep-git-dir, " +
			"but files of a git repository come without .git: remove it",
		"files:\n  - {from: 'https://a/b.git?keep-git-dir#v1', to: /c}": "line 2: files.0: the address has keep-git-dir",
		"files:\n  - {from: 'https://a/b.git?commit=" + one + "', checksum: " + two + ", to: /c}": "line 2: files.0: the " +
			"address names commit " + one + ", and checksum names commit " + two + ": keep one of them",
		"files:\n  - {from: 'https://a/b.git?checksum=" + one + "', checksum: {amd64: " + one + ", arm64: " + two +
			"}, to: /c}": "line 2: files.0: the address names commit",
		"apps:\n  web:\n    files:\n      - {from: /a, to: /b}": "line 4: apps.web.files.0: \"/a\" must be a path",
	} {
		_, err := Parse([]byte(in), nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) || len(AsErrors(err)) != 1 {
			t.Errorf("%q: got %v, want %s", in, err, want)
		}
	}
}

// A query of a git address may say what the entry says, too.
func TestGitQuery(t *testing.T) {
	commit := strings.Repeat("1", 40)
	for _, query := range []string{
		"?keep-git-dir=false", "?ref=v1", "?commit=" + commit, "?checksum=" + commit[:7], "?submodules=false", "#v1:bin", "",
	} {
		_, err := Parse([]byte("files: [{from: 'https://a/b.git"+query+"', checksum: "+commit+", to: /c}]"), nil)
		if err != nil {
			t.Errorf("%s: %v", query, err)
		}
	}
}

// What an address has of a user or a password is in no message.
func TestUserOfAddress(t *testing.T) {
	_, err := Parse([]byte("files: [{from: 'https://me:hidden@a.example/b?c', to: /d}]"), nil)
	if err == nil || strings.Contains(err.Error(), "hidden") || !strings.Contains(err.Error(), "https://…@a.example/b") {
		t.Errorf("got %v", err)
	}
}

func TestFileInWords(t *testing.T) {
	for in, want := range map[string]string{
		"{to: /a}":                                   "make folder /a | /a",
		"{from: a, to: /b}":                          "copy a to /b | /b",
		"{from: [a, 'b*'], to: /c/}":                 "copy a, b* to /c/ | /c/",
		"{context: a, to: /b}":                       "copy all of context a to /b | /b",
		"{image: 'a:1', from: /b, to: /c}":           "copy /b of a:1 to /c | /c",
		"{from: 'https://a/b?token=c', to: /d}":      "copy https://a/b to /d | /d",
		"{from: 'https://a/b.git?d=e#v1:c', to: /d}": "copy https://a/b.git#v1:c to /d | /d",
		"{from: a.tar, unpack: true, to: /b}":        "unpack a.tar to /b | /b",
		"{link: /a/b, to: /c}":                       "link /a/b to /c | /a/",
		"{link: /a, to: /c}":                         "link /a to /c | /",
		"{remove: [/a/*.pdb, /b, '/c/d[e]/f']}":      "remove /a/*.pdb, /b, /c/d[e]/f | /a/ /b /c/",
		"{change: /a/b, mode: 0755}":                 "change /a/b | /a/b",
	} {
		s, err := Parse([]byte("files: ["+in+"]"), nil)
		if err != nil {
			t.Error(err)
			continue
		}
		f := s.Files[0]
		if got := f.String() + " | " + strings.Join(f.Place(), " "); got != want {
			t.Errorf("%s is %q, want %q", in, got, want)
		}
	}
}

func TestIsGit(t *testing.T) {
	for from, want := range map[string]bool{
		"https://a/b.git": true, "https://a/b.git#c:d": true, "http://a/b.git?ref=c": true, "https://a/b": false,
		"https://a/b?c.git": false, "https://a/b#c.git": false, "a/b.git": false, "https://a/b.git/c": false,
	} {
		if IsGit(from) != want {
			t.Errorf("%s is a repository: %t", from, !want)
		}
	}
}

func TestChecksumFor(t *testing.T) {
	all := Checksums{"": "0", "arm": "1", "arm/v6": "2", "linux/arm64": "3"}
	for platform, want := range map[string]string{
		"linux/amd64": "0", "linux/arm/v7": "1", "linux/arm/v6": "2", "linux/arm64": "3", "linux/arm64/v8": "3",
	} {
		if got := all.For(platforms.MustParse(platform)); got != want {
			t.Errorf("%s: %s, want %s", platform, got, want)
		}
	}
	for key, want := range map[string]string{ // a name of a platform, and the platforms that it means
		"linux/arm64/v8": "linux/arm64", "arm64/v8": "linux/arm64", "linux/arm64": "linux/arm64", "arm64": "linux/arm64",
		"linux/arm": "linux/arm/v7", "linux/arm/v7": "linux/arm/v7", "arm/v7": "linux/arm/v7", "arm/v6": "linux/arm/v6",
		"arm": "linux/arm/v6 linux/arm/v7", "linux/amd64/v1": "linux/amd64", "amd64/v3": "linux/amd64/v3",
		"amd64": "linux/amd64 linux/amd64/v3", "": "linux/amd64 linux/amd64/v3 linux/arm/v6 linux/arm/v7 linux/arm64",
	} {
		var got []string
		for _, p := range strings.Fields("linux/amd64 linux/amd64/v3 linux/arm/v6 linux/arm/v7 linux/arm64") {
			if (Checksums{key: "1"}).For(platforms.MustParse(p)) != "" {
				got = append(got, p)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q means %s, want %s", key, got, want)
		}
	}
}

// A misspelled architecture would leave its platform without a checksum.
func TestChecksumPlatform(t *testing.T) {
	for name, want := range map[string]bool{
		"amd64": true, "arm/v7": true, "linux/arm64": true, "linux/arm/v7": true, "arm65": false, "windows/amd64": false,
	} {
		if got := isPlatform(name); got != want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// Of several wrong names, each build names the same one.
func TestChecksumPlatformInOrder(t *testing.T) {
	sum := "sha256:" + strings.Repeat("0", 64)
	text := "files: [{from: 'https://a.example/x', checksum: {foo: '" + sum + "', bar: '" + sum + "'}, to: /x}]"
	for range 30 {
		_, err := Parse([]byte(text), nil)
		if err == nil || !strings.Contains(err.Error(), `"bar" in checksum is no platform`) {
			t.Fatalf("it says %v", err)
		}
	}
}
