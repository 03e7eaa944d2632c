package spec

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// Every key with a value has a rule, every rule belongs to a key, and shapes name only keys.
func TestRules(t *testing.T) {
	used := map[*rule]bool{}
	for typ, s := range sections {
		for _, f := range s.fields {
			ft := typ.FieldByIndex(f.index).Type
			for ft.Kind() == reflect.Pointer || ft.Kind() == reflect.Slice {
				ft = ft.Elem()
			}
			if section := ft.Kind() == reflect.Struct; section != (f.rule == nil) {
				t.Errorf("%s.%s: a section: %t, and its rule is %v", typ.Name(), f.key, section, f.rule)
			}
			if f.rule != nil && allowed(f.rule) == "" {
				t.Errorf("%s.%s: its rule says nothing", typ.Name(), f.key)
			}
			if ft.Kind() == reflect.Map && f.rule.names == nil {
				t.Errorf("%s.%s: its rule says nothing of names", typ.Name(), f.key)
			}
			used[f.rule] = true
		}
		for _, e := range shapes[typ.Name()].excludes {
			if s.fields[e.one].key == "" || s.fields[e.other].key == "" {
				t.Errorf("%s has no %s or no %s", typ.Name(), e.one, e.other)
			}
		}
		for _, n := range shapes[typ.Name()].needs {
			for _, key := range []string{n.key, n.with, n.without} {
				if key != "" && s.fields[key].key == "" {
					t.Errorf("%s has no %s", typ.Name(), key)
				}
			}
		}
	}
	for _, key := range sections[reflect.TypeFor[Tests]()].keys {
		if key != "projects" && !slices.ContainsFunc(shapes["Tests"].needs, func(n need) bool { return n.with == key }) {
			t.Errorf("tests.%s needs no tests", key)
		}
	}
	for name, r := range rules {
		if !used[r] {
			t.Errorf("no key has rule %s", name)
		}
	}
}

// The rules agree with what the MSBuild side of crosshull knows.
func TestRulesOfDotnet(t *testing.T) {
	if got := rules["publish-mode"].oneOf; !slices.Equal(got, dotnet.Modes()) {
		t.Errorf("modes are %v, and %v by package dotnet", got, dotnet.Modes())
	}
	users := []string{"BuildCompressionFormats", "PublishCompressionFormats", "LinkerFlavor",
		"ObjCopyName"} // properties that publish.properties may still set
	files, err := filepath.Glob(filepath.Join("..", "..", "llb", "dotnet", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	set := regexp.MustCompile(`\b(?:define|is)\("(\w+)"`)
	found := 0
	for _, file := range files {
		dt, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range set.FindAllStringSubmatch(string(dt), -1) {
			found++
			if !ownedName.MatchString(m[1]) && !slices.Contains(users, m[1]) && !strings.HasSuffix(file, "_test.go") {
				t.Errorf("%s sets %s, which is not owned", filepath.Base(file), m[1])
			}
		}
	}
	if found < 20 {
		t.Errorf("%d properties are set: that is not how they are any more", found)
	}
}

// What each rule accepts and refuses, at the ends of its range.
func TestRange(t *testing.T) {
	for _, tc := range []struct {
		in      string // a spec with _ in place of the value
		right   string // values in YAML, separated by spaces
		wrong   string
		message string // part of the error for each wrong value
	}{
		{"image: {ports: [_]}", "1 80 65535 8080/tcp 8080/UDP 1-65535 8000-8010/tcp 7-7/sctp",
			"0 65536 99999 080 -1 80- -80 80/ 80/icmp 80:80 1-65536 http '' 1.5", "must be a port from 1 to 65535, or a range"},
		{"image: {ports: [_]}", "", "8010-8000 65535-1/udp", "it ends before it begins"},
		{"image: {stop-signal: _}", "SIGTERM TERM sigterm 1 15 64 SIGRTMIN+3 RTMIN RTMIN+15 SIGRTMAX-14 SIGUSR1 ''",
			"0 65 -1 SIGBOGUS SIG SIGRTMIN+16 SIGRTMAX-15 RTMIN- 015 1.5 'SIGTERM '",
			"must be the name of a signal such as SIGTERM, or its number from 1 to 64"},
		{"image: {healthcheck: {test: [a], interval: _}}", "0 0s 1ms 30s 1m30s 1.5h 1h2m3s4ms ''", "30 -0s 1d s 1s2",
			"must be a duration such as 30s"},
		{"image: {healthcheck: {test: [a], start-period: _}}", "", "1ns 999us", "that is too short"},
		{"image: {healthcheck: {test: [a], start-period: _}}", "2562047h", "2562048h 99999999999999999999h",
			"that is too long"},
		{"image: {healthcheck: {test: [a], timeout: _}}", "", "-1s -1ms", "it is negative"},
		{"image: {healthcheck: {test: [a], retries: _}}", "0 3 +3 2147483647",
			"-1 2147483648 99999999999999999999 1.5 often true ''", "must be a whole number from 0 to 2147483647, not"},
		{"image: {healthcheck: {test: _}}", "[a] [NONE] [CMD,a] [CMD-SHELL,'a b'] [CMD,a,'']", "[] [''] [null]",
			"write the command to run"},
		{"image: {healthcheck: {test: _}}", "", "[CMD] [CMD-SHELL] [CMD,''] [CMD-SHELL,null]", "is missing"},
		{"image: {healthcheck: {test: _}}", "", "[NONE,a]", "NONE must be the only word"},
		{"image: {entrypoint: _}", "[a] [a,b] [a,''] [1]", "[] [''] [null] ['',a]", "the first word is the program"},
		{"image: {args: _}", "[] [''] [null] [a]", `["\0"]`, "must be a text without the character NUL"},
		{"image: {user: _}", "app 1654 1654:1654 app:app root:0 0 2147483647 DOMAIN\\\\user a.b_c-d@e ''",
			"a:b:c ':' ':a' a: 'a b' \"a\\n\" \"a\\0\" \"\\u2028\" \"a\\rb\"", "must be a user, or user:group"},
		{"image: {user: _}", "", "2147483648 4294967296:0 0:4294967296 -1 99999999999999999999",
			"engines do not accept that number"},
		{"image: {workdir: _}", "/ /a /a/b '/a b' ''", `a ./a C:\a "/a\nb" "/\0"`, "must be an absolute path"},
		{"image: {volumes: [_]}", "/a //a /a/../b /.a", "a ''", "must be an absolute path in the image, below /"},
		{"image: {volumes: [_]}", "", "/ // /. /a/..", "engines cannot mount a volume there"},
		{"image: {env: {A: _}}", `'' null 1 true "a\nb" ` + "'\u2028'", `"\0"`, "must be a text without the character NUL"},
		{"image: {env: {_: b}}", "A a_1 _", "1 a-b '' 'A=B' \"A\\n\" é", "must be letters, digits and _"},
		{"image: {labels: {_: b}}", "a a.b 'a b' A=B é null", `'' "a\nb" "\0" "a\u2028" "\x7f"`,
			"must be a text of one line, and not empty"},
		{"image: {annotations: {_: b}}", "a a.b 'a b'", `'' "a\r"`, "must be a text of one line, and not empty"},
		{"image: {labels: {a: _}}", `'' null "a\nb" 1`, `"\0" "a\0b"`, "must be a text without the character NUL"},
		{"files: [{to: /a, mode: _}]", "0644 '0644' 644 1777 7777 07777 4755 0000 00644 ''",
			"77 8888 10000 -644 rw 0o644 0x1", "must be an octal number"},
		{"files: [{to: /a, owner: _}]", "0 app 1654:1654 4294967294 4294967294:4294967294 root www-data:0 0:_apt a.B_c ''",
			"4294967295 4294967296 0:4294967296 -1 007 1: ':1' 1:1:1 a: ':a' 'a b' é 1a '$X'",
			"must be a user, or user:group: each a number up to 4294967294, or a name such as app"},
		{"image: {users: [{uid: 1, name: _}]}", "a A a-b a.b _a a1 a2345678901234567890123456789012",
			"1 -a 'a b' a:b a/b é a23456789012345678901234567890123", "must be a name of at most 32 characters"},
		{"image: {users: [{uid: 1, name: _}]}", "", "'' null", "an entry of image.users needs a name"},
		{"image: {users: [{name: a, uid: _}]}", "0 1 2147483647", "-1 a 2147483648 007 1.5 ' '",
			"must be a number from 0 to 2147483647"},
		{"image: {users: [{name: a, uid: _}]}", "", "'' null", "an entry of image.users needs a uid"},
		{"image: {users: [{name: a, uid: 1, gid: _}]}", "0 1 a ''", "-1 2147483648 a:b 'a b'",
			"must be the name or the number of a group"},
		{"image: {users: [{name: a, uid: 1, groups: [_]}]}", "0 1 a", "-1 2147483648 a:b 'a b' '' null",
			"must be the name or the number of a group"},
		{"image: {users: [{name: a, uid: 1, home: _}]}", "/ /a '/a b' ''", "a /a:b './a' \"/a\\n\"",
			"must be an absolute path in the image, without a colon"},
		{"image: {users: [{name: a, uid: 1, shell: _}]}", "/bin/sh ''", "sh /a:b", "must be an absolute path in the image"},
		{"image: {groups: [{gid: 1, name: _}]}", "a", "'' null", "an entry of image.groups needs a name"},
		{"image: {groups: [{name: a, gid: _}]}", "0", "a -1", "must be a number from 0 to 2147483647"},
		{"image: {groups: [{name: a, gid: _}]}", "", "'' null", "an entry of image.groups needs a gid"},
		{"image: {users: [{name: a, uid: 1}, {name: _, uid: 2}]}", "b A", "a", "the entry on line 1 has it too"},
		{"image: {users: [{name: a, uid: 1}, {name: b, uid: _}]}", "0 2", "1", "the entry on line 1 has it too"},
		{"image: {groups: [{name: a, gid: 1}, {name: _, gid: 2}]}", "b", "a", "the entry on line 1 has it too"},
		{"image: {groups: [{name: a, gid: 1}, {name: b, gid: _}]}", "2", "1", "the entry on line 1 has it too"},
		{"files: [{to: /a, from: _}]", "a a/b ./a .a ..a a/.. a/../b . '' null 'a b'", `"a\0" "a\nb"`,
			"must be a path relative to the build context"},
		{"files: [{to: /a, from: _}]", "", "../a /../a a/../../b ..", "it leads out of the context"},
		{"files: [{to: /a, from: _}]", "", "/a //a /", "only an image and another context have absolute paths"},
		{"files: [{to: /a, image: b, from: _}]", "/a //a / a . /a*", "/..", "it leads out of the context"},
		{"files: [{to: /a/, from: [_]}]", "a 'a*' 'a/?/[b-c]'", "'' null", "must be a path relative to the build context"},
		{"files: [{to: /a/, from: _}]", "'a[[]'", "a**/b '**'", "** matches no more than *"},
		{"files: [{to: /a/, from: _}]", "", "'a[b' '[a-'", "a [ without ]"},
		{"files: [{to: /a/, from: _}]", "https://a/b.git#v1:c", "https://u:p@a/b https://u@a", "has no user or password"},
		{"files: [{to: /a/, from: _}]", "", "https:///a https://", "the address has no host"},
		{"files: [{to: /a/, from: _}]", "", "ftp://a ssh://git@a/b", "only https:// and http:// are known"},
		{"files: [{remove: _}]", "/a '/a/*.pdb' [/a,//b]", "a './a'", "must be an absolute path in the image, below /"},
		{"files: [{remove: _}]", "", "/a/.. /.", "that is all of the image"},
		{"files: [{remove: _}]", "", "/**/a", "** matches no more than *"},
		{"files: [{link: _, to: /a}]", "/b //b", "b", "must be an absolute path in the image, below /"},
		{"files: [{from: a, unpack: true, strip: _, to: /a}]", "0 1 20", "21 -1 a", "must be a whole number from 0 to 20"},
		{"files: [{from: 'https://a/b', checksum: _, to: /a}]",
			"sha256:" + strings.Repeat("a", 64) + ` {"arm64":"sha256:` + strings.Repeat("b", 64) + `"}`,
			"sha256:a md5:a a", "must be sha256: and 64 hex digits"},
		{"files: [{to: /a, from: _}]", "", `a\b '..\a'`, "write / between folders"},
		{"files: [{to: _}]", "/ /a /a/", `a "/a\n"`, "must be an absolute path"},
		{"files: [{to: _}]", "", "'' null", "an entry of files needs the key to"},
		{"files: [{to: /a, context: _}]", "a a-b a.b 1 ''", "A -a a/b 'a b'", "must be a name that --build-context takes"},
		{"files: [_]", "", "null", "files.0 is empty"},
		{"nuget: {feeds: [_]}", "", "null", "nuget.feeds.0 is empty"},
		{"tests: [_]", "a", "'' null", "must be a path relative to the build context"},
		{"publish: {inputs: [_]}", "a", "'' null", "must be a path relative to the build context"},
		{"publish: {ssh: [_]}", "default a", `'' null "a\n"`, "must be the id of"},
		{"publish: {secrets: {A: _}}", "a 1", `'' null "a\n"`, "must be the id of"},
		{"publish: {secrets: {_: a}}", "A", "outdir PublishDir CrosshullX", "crosshull sets this property"},
		{"publish: {mode: _}", "aot [trimmed,single-file]", "native '' [''] [aot,native] [null] Aot",
			"is not known: use portable, apphost"},
		{"publish: {configuration: _}", "Release 'A b' ''", `"a\n" "a\tb"`, "must be a text of one line"},
		{"publish: {properties: {_: a}}", "A _a A-b Crosswind IsPublishing DefineConstants", "a.b 1a '' 'a b' é",
			"must be letters, digits, - and _, and the first is a letter or _"},
		{"publish: {properties: {_: a}}", "",
			"PublishDir publishdir OUTDIR _isPublishing MSBuildUserExtensionsPath " +
				"customaftermicrosoftcommoncrosstargetingtargets CrosshullProject crosshulloutput CROSSHULL _CrosshullX",
			"crosshull sets this property itself"},
		{"publish: {properties: {_: a}}", "", "PUBLISHAOT selfcontained enableapphostpackdownload",
			"crosshull sets this property: use publish.mode"},
		{"publish: {properties: {a: _}}", `'' null "a\nb" 'a;b' '"'`, `"\0"`, "must be a text without the character NUL"},
		{"framework: _", "net10.0 net8.0-windows10.0.19041.0 ''", `"net\n" 'net 8' net/8 '$(X)'`,
			"must be a TargetFramework"},
		{"sdk: {version: _}", "10.0 10.0.100-alpine3.22 10.0@sha256:ab ''", "'a b' a/b ':a' -a a@b",
			"must be a tag of an image"},
		{"sdk: {image: _}", "a.b:5000/c:1@sha256:ab ''", `"a b" "a\n"`, "must be a reference of an image"},
		{"base: {family: _}", "noble-chiseled ''", "a:b 'a b' a@b", "must be a variant of the base"},
		{"nuget: {feeds: [{name: _, source: 'https://a'}]}", "a A.b _a", "1a a/b 'a b' -a", "must be the key of a source"},
		{"nuget: {feeds: [{name: _, source: 'https://a'}]}", "", "'' null", "a feed needs a name"},
		{"nuget: {feeds: [{name: a, password-secret: b, source: _}]}", "https://a 'http://a:1/b?c=d#e' ''",
			"'https://' 'https://a b' 'https:///a' \"https://a\\n\"", "must be a URL that begins with"},
		{"nuget: {feeds: [{name: a, password-secret: b, source: _}]}", "", "./packages a ftp://a HTTPS://a",
			"a folder of the repository belongs in its nuget.config"},
		{"nuget: {feeds: [{name: a, source: 'https://a', username: _}]}", "a 'a b' ''", `"a\nb"`,
			"must be a text of one line"},
		{"nuget: {audit: _}", "true FALSE 1 null", "yes maybe '' 2", "must be true or false, not"},
		{"args: {_: a}", "A a_1", "1a a-b ''", "must be letters, digits and _"},
		{"args: {_: a}", "SOURCE_DATE", "SOURCE_DATE_EPOCH BUILDKIT_X https_proxy HTTP_PROXY",
			"BuildKit itself reads this argument: remove it from args"},
		{"args: {A: _}", `'' null a "a\nb" {}`, `"\0"`, "must be a text without the character NUL"},
		{"apps: {_: {}}", "web a_b-c x-web 1", "Web -a _a a.b '' é", "must be lower-case letters, digits, - and _"},
		{"apps: {_: {}}", "web-publisher", "image web-sbom test", "it is the name of another target"},
	} {
		for _, v := range words(tc.right) {
			if _, err := Parse([]byte(strings.Replace(tc.in, "_", v, 1)), nil); err != nil {
				t.Errorf("%s with %s: %v", tc.in, v, err)
			}
		}
		for _, v := range words(tc.wrong) {
			in := strings.Replace(tc.in, "_", v, 1)
			_, err := Parse([]byte(in), nil)
			if err == nil || !strings.HasPrefix(err.Error(), "line 1: ") || !strings.Contains(err.Error(),
				tc.message) || len(AsErrors(err)) != 1 {
				t.Errorf("%s: got %v, want one mistake: %s", in, err, tc.message)
			}
		}
	}
}

// words splits a text at spaces, except in quotes.
func words(s string) []string {
	return regexp.MustCompile(`(?:[^ '"]|'[^']*'|"[^"]*")+`).FindAllString(s, -1)
}
