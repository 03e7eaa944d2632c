package packages

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// script is a package with one script, run after the package is unpacked.
func script(text string) made {
	return made{name: "script", scripts: map[string]string{"postinst": text}}
}

// program is a package with a program, and files that depend on the architecture and do not say so.
var program = made{
	name: "program",
	files: map[string]string{
		"usr/bin/program":              "\x7fELF program ARCH",
		"usr/share/program/words":      "the same\n",
		"usr/lib/TUPLE/program/plugin": "\x7fELF plugin ARCH",
	},
	more: map[string]map[string]string{
		"amd64": {"usr/share/program/bits": "sixty-four\n"},
		"arm64": {"usr/share/program/bits": "64\n"},
		"armhf": {"usr/share/program/bits": "thirty-two\n"},
	},
}

// What scripts do is done as dpkg would do it on the other architecture, file by file.
func TestScripts(t *testing.T) {
	base := []made{program}
	for name, i := range map[string]installation{
		"a copy of a program": {base: base, install: []made{script("cp usr/bin/program usr/bin/copy")}},
		"a text that several files have by chance": {
			base: []made{{name: "chance", files: map[string]string{"opt/a": "1\n"}, more: map[string]map[string]string{
				"amd64": {"opt/b": "1\n"}, "arm64": {"opt/b": "2\n"}}}},
			install: []made{script("echo 1 > etc/one")}},
		"a text that one file has by chance": {
			base: []made{{name: "chance", more: map[string]map[string]string{
				"amd64": {"opt/answer": "yes\n"}, "arm64": {"opt/answer": "no\n"}}}},
			install: []made{script("echo yes > etc/one; echo no > etc/answers")}},
		"a short text that is copied": {
			base: []made{{name: "source", more: map[string]map[string]string{
				"amd64": {"opt/answer": "yes\n"}, "arm64": {"opt/answer": "no\n"}}}},
			install: []made{script("cat opt/answer > etc/one")}},
		"a text that a program copies": {
			base: []made{{name: "source", more: map[string]map[string]string{
				"amd64": {"opt/many": strings.Repeat("yes\n", 20)}, "arm64": {"opt/many": strings.Repeat("no\n", 20)}}}},
			install: []made{script("cat opt/m* > etc/one")}},
		"triggers": {
			base: []made{cache("one", "interest-noawait /usr/share/words"), cache("two", "interest /usr/share/words"),
				cache("three", "interest named")},
			install: []made{{name: "words", files: map[string]string{"usr/share/words/a": "ARCH"}},
				cache("four", "interest-noawait /usr/share/words"), script("dpkg-trigger named"),
				{name: "five", triggers: "activate named"}},
		},
		"triggers of paths that name the architecture": {
			base:    []made{cache("one", "interest-noawait /usr/lib/x86_64-linux-gnu/words")},
			install: []made{{name: "words", files: map[string]string{"usr/lib/x86_64-linux-gnu/words/a": ""}}},
		},
		"an override": {base: base, install: []made{
			script("dpkg-statoverride --update --add root root 4755 /usr/bin/program")}},
		"an override of the same run": {install: []made{program,
			script("dpkg-statoverride --update --add root root 4755 /usr/bin/program")}},
		"an override that is gone": {
			base: []made{program, script("dpkg-statoverride --update --add root root 4755 /usr/bin/program")},
			install: []made{{name: "script", version: "2", scripts: map[string]string{
				"postinst": "dpkg-statoverride --remove /usr/bin/program"}},
				{name: "program", version: "2", files: map[string]string{"usr/bin/program": "\x7fELF two ARCH"}}},
		},
		"a copy with its time":      {base: base, install: []made{script("cp -a usr/bin/program usr/bin/copy")}},
		"a copy of the same run":    {install: []made{program, script("cp -a usr/share/program/bits etc/bits")}},
		"a copy in place of a file": {base: base, install: []made{script("cd usr/share/program; cp bits words")}},
		"a program that is moved":   {base: base, install: []made{script("mkdir -p opt; mv usr/bin/program opt/p")}},
		"a folder that is moved":    {base: base, install: []made{script("mv usr/share/program usr/share/p")}},
		"a folder behind a link": {install: []made{program,
			script("mv usr/share/program opt; ln -s /opt/program usr/share/program")}},
		"a hard link to a program":    {base: base, install: []made{script("ln usr/bin/program usr/bin/other")}},
		"a hard link of the same run": {install: []made{program, script("ln -f usr/bin/program usr/bin/other")}},
		"hard links to what it made":  {install: []made{script("cd etc; echo a > a; ln a b; ln a ../opt/c")}},
		"a hard link into a tuple":    {base: base, install: []made{script("cd usr/lib/*/program; ln plugin other")}},
		"a mode of all names": {
			base: base, install: []made{script("cd usr/bin; ln program other; chmod 4755 program")}},
		"a link to a folder of a tuple": {base: base, install: []made{script("ln -s /$(echo usr/lib/*/program) opt/p")}},
		"names that part": {
			base: []made{script("echo a > etc/a; ln etc/a etc/b")},
			install: []made{{name: "parts", scripts: map[string]string{
				"postinst": "cp etc/a etc/c; mv etc/c etc/a; chmod 600 etc/a"}}},
		},
		"a line for a file that differs": {base: base, install: []made{script("echo more >> usr/share/program/bits")}},
		"a mode of a file that differs":  {base: base, install: []made{script("chmod 600 usr/share/program/bits")}},
		"a folder in place of a link": {
			base: []made{{name: "moves", files: map[string]string{"usr/share/other/a": "a"},
				links: map[string]string{"usr/share/moves": "other"}}},
			install: []made{{name: "moves", version: "2", files: map[string]string{"usr/share/moves/a": "\x7fELF ARCH"},
				scripts: helper("symlink_to_dir /usr/share/moves other 2")}},
		},
		"a link in place of a folder": {
			base: []made{{name: "moves", files: map[string]string{"usr/share/moves/a": "a"}}},
			install: []made{{name: "moves", version: "2", files: map[string]string{"usr/share/other/a": "\x7fELF ARCH"},
				links:   map[string]string{"usr/share/moves": "other"},
				scripts: helper("dir_to_symlink /usr/share/moves other 2")}},
		},
		"a link to what a machine makes when it runs": {install: []made{
			script("mkdir -p run/lock; ln -s /run/lock var/lock")}},
		"a link that the package goes through": {install: []made{{name: "moves",
			files: map[string]string{"usr/share/moves/a": "\x7fELF ARCH"},
			scripts: map[string]string{
				"preinst": "mkdir opt/moves; mkdir -p usr/share; ln -s ../../opt/moves usr/share/moves"}}}},
		"a folder that a script makes before": {install: []made{{name: "moves",
			files:   map[string]string{"usr/share/moves/a": "\x7fELF ARCH"},
			scripts: map[string]string{"preinst": "mkdir -m 700 -p usr/share/moves; chown 5:5 usr/share/moves"}}}},
		"configuration that a script writes before": {install: []made{{name: "moves",
			files:   map[string]string{"etc/moves.conf": "a\n"},
			scripts: map[string]string{"preinst": "echo own > etc/moves.conf"}}}},
		"configuration that a script writes before an update": {
			base: []made{{name: "moves", files: map[string]string{"etc/moves.conf": "a\n"}}},
			install: []made{{name: "moves", version: "2", files: map[string]string{"etc/moves.conf": "b\n"},
				scripts: map[string]string{"preinst": "echo own >> etc/moves.conf"}}}},
		"configuration that a script changes": {install: []made{{name: "moves",
			files:   map[string]string{"etc/moves.conf": "a\n"},
			scripts: map[string]string{"postinst": "echo own >> etc/moves.conf"}}}},
		"configuration that is gone": {
			base:    []made{{name: "moves", files: map[string]string{"etc/moves.conf": "a", "etc/stays": "b"}}},
			install: []made{{name: "moves", version: "2", scripts: helper("rm_conffile /etc/moves.conf 2")}},
		},
		"configuration that moves": {
			base: []made{{name: "moves", files: map[string]string{"etc/moves.conf": "a\n"}}},
			install: []made{{name: "moves", version: "2", files: map[string]string{"etc/moves/conf": "b\n"},
				scripts: helper("mv_conffile /etc/moves.conf /etc/moves/conf 2")}},
		},
		"alternatives": {base: base, install: []made{script(
			"update-alternatives --install /usr/bin/alt alt /usr/bin/program 10\n" +
				"d=$(echo usr/lib/*/program)\n" +
				"update-alternatives --install /usr/lib/plugin plugin-${d%/*} /$d/plugin 10 || true\n" +
				"update-alternatives --install /usr/lib/plugin plugin /$d/plugin 10")}},
		"an update of a rebuild": {
			base:    []made{{name: "script", only: "amd64"}, {name: "script", version: "1+b1", only: "arm64"}},
			install: []made{{name: "script", version: "2", scripts: map[string]string{"postinst": "echo a > etc/a"}}}},
		"a user": {install: []made{script(
			"cd etc; echo a:x:100:100::/:/bin/false >> passwd; echo a:x:100: >> group; echo 'a:!:20000::::::' >> shadow\n" +
				"cd ..; mkdir -p var/lib/a; chown 100:100 var/lib/a")}},
		"a user beside one that only the base has": {
			change:  func(t *testing.T, root string) { appendTo(t, root, "etc/passwd", "b:x:200:200::/:/bin/sh\n") },
			install: []made{script("echo a:x:100:100::/:/bin/false >> etc/passwd")},
		},
		"states of apt": {install: []made{
			{name: "here", only: "amd64"}, {name: "there", only: "arm64"}, {name: "both"}, states("both here there")}},
		"states of apt that only the image has": {install: []made{
			{name: "there", only: "arm64"}, {name: "both"}, states("there")}},
		"a compiled module": {install: []made{{name: "module", files: map[string]string{"usr/lib/module/m.py": "1\n"},
			scripts: map[string]string{"postinst": compile}}}},
		"a compiled module behind a link": {install: []made{{name: "module",
			files:   map[string]string{"etc/module/m.py": "1\n"},
			links:   map[string]string{"usr/lib/module/m.py": "/etc/module/m.py"},
			scripts: map[string]string{"postinst": compile}}}},
		"units": {install: []made{{name: "unit", files: map[string]string{"lib/systemd/system/unit.service": "[Unit]\n"},
			scripts: map[string]string{"postinst": "mkdir -p etc/systemd/system/multi-user.target.wants\n" +
				"ln -s /lib/systemd/system/unit.service etc/systemd/system/multi-user.target.wants/unit.service"}}}},
		"a link that names the architecture": {install: []made{{name: "jvm", files: map[string]string{
			"usr/lib/jvm/java-ARCH/bin/java": "\x7fELF java ARCH"},
			scripts: map[string]string{"postinst": "cd usr/lib/jvm; ln -s $(echo java-*) default; " +
				"ln -s /usr/lib/jvm/$(echo java-*)/bin/java ../../bin/java"}}}},
		"a script for each architecture": {install: []made{{name: "named", files: map[string]string{"usr/share/named": "a"},
			scripts: map[string]string{"postinst": "echo $DPKG_MAINTSCRIPT_PACKAGE:$(cat usr/share/arch) > etc/named"}},
			{name: "arch", files: map[string]string{"usr/share/arch": "ARCH\n"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i.check(t, "amd64", "arm64")
		})
	}
}

// states is a package whose script does what apt does: it says which packages were installed for others.
func states(automatic string) made {
	return script("for p in " + automatic + "; do\n" +
		"[ ! -e var/lib/dpkg/info/$p.list ] || printf 'Package: %s\\nArchitecture: %s\\nAuto-Installed: 1\\n\\n' \\\n" +
		"$p $DPKG_MAINTSCRIPT_ARCH >> var/lib/apt/extended_states\ndone")
}

// compile does what Python does: it writes the time of the source, and what comes of it.
const compile = `cd usr/lib/module; mkdir __pycache__
t=$(stat -c %Y "$DPKG_ROOT/$(readlink m.py || echo usr/lib/module/m.py)"); time=
for shift in 0 8 16 24; do time=$time\\$(printf %03o $((t >> shift & 255))); done
printf "magi\\000\\000\\000\\000${time}sizecode" > __pycache__/m.cpython-311.pyc`

// A cache of fonts is for processors whose memory is laid out alike.
func TestCacheOfFonts(t *testing.T) {
	i := installation{install: []made{script("cd var; mkdir -p cache/fontconfig; echo > cache/fontconfig/0-le64.cache-8")}}
	i.check(t, "amd64", "arm64")
	r, err := i.apply(t, "amd64", "armhf", false)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := filepath.Glob(r.got + "/var/cache/fontconfig/*"); err != nil || len(all) > 0 {
		t.Errorf("the image has %q, %v", all, err)
	}
}

// What a script writes in binary is for processors with one byte order. Python reads its modules with any.
func TestByteOrder(t *testing.T) {
	i := installation{install: []made{
		{name: "module", files: map[string]string{"usr/lib/module/m.py": "1\n"},
			scripts: map[string]string{"postinst": compile}},
		script("mkdir -p var/cache/fontconfig; echo > var/cache/fontconfig/0-le64.cache-8; echo text > etc/text"),
	}}
	r, err := i.apply(t, "amd64", "s390x", false)
	if err != nil {
		t.Fatal(err)
	}
	all := entries(t, r.got)
	for name, want := range map[string]bool{
		"usr/lib/module/__pycache__/m.cpython-311.pyc": true, "var/cache/fontconfig/0-le64.cache-8": false, "etc/text": true,
	} {
		if got := all[name] != ""; got != want {
			t.Errorf("the image has %s: %v, want %v", name, got, want)
		}
	}
	i.install = append(i.install, made{
		name: "binary", scripts: map[string]string{"postinst": "printf '\\0' > etc/numbers"},
	})
	const want = "binary: a script makes /etc/numbers, which is binary, for processors with another byte order"
	if _, err := i.apply(t, "amd64", "s390x", false); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	i.check(t, "amd64", "arm64")
}

// A compiled module of another source than the image has is left out. Python would take it for that of its source.
func TestModuleOfAnotherSource(t *testing.T) {
	i := installation{install: []made{{name: "module", scripts: map[string]string{"postinst": compile},
		more: map[string]map[string]string{
			"amd64": {"usr/lib/module/m.py": "64\n"}, "armhf": {"usr/lib/module/m.py": "32\n"},
		}}}}
	r, err := i.apply(t, "amd64", "armhf", false)
	if err != nil {
		t.Fatal(err)
	}
	if all, err := filepath.Glob(r.got + "/usr/lib/module/__pycache__/*"); err != nil || len(all) > 0 {
		t.Errorf("the image has %q, %v", all, err)
	}
}

// What an image has only as its base has it is so if a package brings it.
func TestLeftOut(t *testing.T) {
	i := installation{
		change: func(t *testing.T, root string) {
			write(t, root, "var/log/own/base.log", "base")
			write(t, root, "run/base", "base")
		},
		install: []made{{name: "own", files: map[string]string{
			"var/log/own/own.log": "own", "var/log/own/base.log": "own", "run/own/a": "a", "tmp/a": "a", "opt/a": "a",
		}}},
	}
	r, err := i.apply(t, "amd64", "arm64", false)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"var/log/own/own.log": "", "var/log/own/base.log": "base", "run/base": "base", "run/own": "", "tmp/a": "",
		"opt/a": "a",
	} {
		if dt, err := os.ReadFile(filepath.Join(r.got, name)); string(dt) != want || os.IsNotExist(err) != (want == "") {
			t.Errorf("%s is %q, %v, want %q", name, dt, err, want)
		}
	}
}

// cache is a package that lists words when a trigger says that there are more.
func cache(name, triggers string) made {
	return made{name: name, triggers: triggers, scripts: map[string]string{
		"postinst": "mkdir -p var/cache/words; ls usr/share/words > var/cache/words/" + name + " 2>&1 || true"}}
}

// helper are the scripts that call dpkg-maintscript-helper.
func helper(args string) map[string]string {
	// The helper changes what has the name in the root that it runs in.
	call := "dpkg-maintscript-helper " + args + " -- \"$@\""
	return map[string]string{"preinst": call, "postinst": call, "postrm": call}
}

func appendTo(t *testing.T, root, name, text string) {
	t.Helper()
	dt, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	write(t, root, name, string(dt)+text)
}

// half is a package with a folder that one architecture has.
var half = made{name: "half", more: map[string]map[string]string{
	"amd64": {"usr/lib/half/x86/a": "a", "usr/lib/half/x86/b": "b"}}}

// What cannot be had on another architecture is an error that names the package and the file.
func TestMistakes(t *testing.T) {
	base := []made{program}
	some := made{name: "some", files: map[string]string{"opt/some/a": "a"}, more: map[string]map[string]string{
		"arm64": {"opt/some/b": "b"}}}
	newer := made{name: "script", version: "2", scripts: map[string]string{
		"postinst": `[ -n "$2" ] || echo a:x:100:100::/:/bin/false >> etc/passwd`}}
	for name, tc := range map[string]struct {
		installation
		want string
	}{
		"a program that a script makes": {installation{install: []made{script("printf '\\177ELF' > usr/bin/made")}},
			"script: a script makes /usr/bin/made, which is a program for the build platform"},
		"a program that two scripts name": {installation{skip: []string{"first"}, install: []made{
			{name: "first", scripts: map[string]string{"postinst": "# makes"}},
			{name: "other", scripts: map[string]string{"postinst": "# no usr/bin/makes"}},
			script("printf '\\177ELF' > usr/bin/makes")}},
			"other or script: a script makes /usr/bin/makes, which is a program for the build platform. skip-scripts: " +
				"[other, script] installs the packages without it"},
		"a program that nothing names": {installation{skip: []string{"first"}, install: []made{
			{name: "first", scripts: map[string]string{"postinst": "true"}},
			{name: "none"}, {name: "other", scripts: map[string]string{"postinst": "true"}},
			script("printf '\\177ELF' > $(printf '\\157')pt/$(printf '\\141')")}},
			"other or script: a script makes /opt/a, which is a program for the build platform."},
		"a program that a package of the base makes": {installation{
			base: []made{{name: "one", triggers: "interest-noawait /usr/share/words", scripts: map[string]string{
				"postinst": "[ $1 != triggered ] || printf '\\177ELF' > usr/bin/made"}}},
			install: []made{{name: "words", files: map[string]string{"usr/share/words/a": "ARCH"}}}},
			"a package of the base: a script makes /usr/bin/made, which is a program for the build platform"},
		"a program that no script names": {installation{install: []made{
			{name: "first", scripts: map[string]string{"postinst": "true"}},
			script("mkdir -p opt/a/b; printf '\\177ELF' > opt/a/b/$(echo MADE | tr A-Z a-z)"),
		}}, "script: a script makes /opt/a/b/made, which is a program for the build platform"},
		"a copy that ucf keeps": {installation{install: []made{
			{name: "first", scripts: map[string]string{"postinst": "true"}},
			script("mkdir -p var/lib/ucf; f=/etc/conf; echo of amd64 > var/lib/ucf/$(echo $f | tr / :)"),
		}}, "script: a script makes /var/lib/ucf/:etc:conf, which names the architecture of the build platform"},
		"a program that a script changes": {installation{base: base, install: []made{script("echo >> usr/bin/program")}},
			"script: a script changes /usr/bin/program, which is a program for the build platform"},
		"a file that is another one": {
			installation{base: base, install: []made{script("echo x > usr/share/program/bits")}},
			"script: a script changes /usr/share/program/bits, which is another file for this platform"},
		"a link to what is not there": {installation{install: []made{
			{name: "some", more: map[string]map[string]string{"amd64": {"opt/b": "b"}}},
			script("ln -s ../opt/b etc/b")}},
			"script: a script makes /etc/b, a link to /opt/b, which is not there for this platform"},
		"a file in a folder that is not there": {installation{install: []made{half,
			script("echo a > usr/lib/half/x86/list")}},
			"script: a script makes /usr/lib/half/x86/list, in a folder that is not there for this platform"},
		"a link in a folder that is not there": {installation{install: []made{half,
			script("ln -s a usr/lib/half/x86/list")}},
			"script: a script makes /usr/lib/half/x86/list, in a folder that is not there for this platform"},
		"a copy of one of two": {installation{
			base: []made{{name: "two", more: map[string]map[string]string{
				"amd64": {"opt/a": "1\n", "opt/b": "1\n"}, "arm64": {"opt/a": "2\n", "opt/b": "3\n"}}}},
			install: []made{script("for f in opt/a opt/b; do cat $f > etc/one; done")}},
			"script: a script makes /etc/one, a copy of one of several files, which differ for this platform"},
		"a user whose number another one has": {installation{
			change:  func(t *testing.T, root string) { appendTo(t, root, "etc/passwd", "b:x:100:100::/:/bin/sh\n") },
			install: []made{script("echo a:x:100:100::/:/bin/false >> etc/passwd")}},
			"script: a script changes /etc/passwd, and the base has another one for this platform"},
		"a folder that has more": {installation{base: []made{some}, install: []made{script("rm -r opt/some")}},
			"script: a script removes /opt/some, which has other files for this platform"},
		"a link in place of a folder that has more": {installation{
			base: []made{some}, install: []made{script("rm -r opt/some; ln -s /etc opt/some")}},
			"script: a script makes /opt/some, where other files are for this platform"},
		"a diversion of the base": {installation{base: base,
			change: func(t *testing.T, root string) {
				write(t, root, "var/lib/dpkg/diversions", "/usr/bin/program\n/usr/bin/program.there\nother\n")
			},
			install: []made{{name: "script", scripts: map[string]string{
				"preinst": "dpkg-divert --package script --add --no-rename --divert /usr/bin/p /usr/bin/program\n" +
					"ln -s x usr/bin/p"}}}},
			"script: a script diverts /usr/bin/program to /usr/bin/p, and the base for this platform has it at " +
				"/usr/bin/program.there"},
		"libraries that the loader does not find": {installation{base: []made{{name: "libs", files: map[string]string{
			"usr/lib/TUPLE/glibc-hwcaps/a": "", "opt/lib/liba.so.1": "\x7fELF", "etc/ld.so.conf": "/opt/lib\n"}}},
			install: []made{script("echo > etc/ld.so.cache")}},
			"base.packages cannot write /etc/ld.so.cache for arm64, and without it the loader does not find " +
				"/opt/lib/liba.so.1. Install the packages in a base of your own"},
		"a package that only the build platform gets": {installation{install: []made{
			{name: "only", only: "amd64", scripts: map[string]string{"postinst": "echo a > etc/only"}},
			script("echo a > etc/a")}},
			"only 1 is installed only for the build platform. Its scripts may have made some of the changes there. " +
				"skip-scripts: [only] takes over all changes, also those of only"},
		"an update that the base for the other platform has": {installation{
			base:    []made{{name: "script", only: "amd64"}, {name: "script", version: "2", only: "arm64"}},
			install: []made{{name: "script", version: "2", only: "amd64", scripts: newer.scripts}, {name: "other"}}},
			"script 2 is installed only for the build platform (the base for this one has 2). Its scripts may have"},
		"an update that is none there": {installation{
			base: []made{{name: "script", only: "amd64"}}, install: []made{newer}}, "script 2 for arm64 has scripts that " +
			"cannot run here, and the base has version 1 of it for the build platform, and no version for this one, so"},
		"an update that is none for the build platform": {installation{
			base: []made{{name: "script", only: "arm64"}}, install: []made{newer}}, "script 2 for arm64 has scripts that " +
			"cannot run here, and the base has no version of it for the build platform, and version 1 for this one, so"},
		"an update of another version": {installation{
			base:    []made{{name: "script", only: "amd64"}, {name: "script", version: "1.1", only: "arm64"}},
			install: []made{newer}}, "the base has version 1 of it for the build platform, and version 1.1 for this one, so"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := tc.apply(t, "amd64", "arm64", false); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

// A package whose scripts may be skipped is installed without what cannot be had.
func TestSkipScripts(t *testing.T) {
	some := made{name: "some", files: map[string]string{"opt/some/a": "a"}, more: map[string]map[string]string{
		"arm64": {"opt/some/b": "b"}}}
	i := installation{base: []made{some, half, program}, skip: []string{"script"}, install: []made{script(
		"(cd usr/lib/half/x86; echo a > list; ln -s a link; ln a ../other; ln ../other again; chmod 700 a)\n" +
			"rm -r opt/some; ln -s /etc opt/some; echo >> usr/bin/program; chmod 700 usr/bin/program\n" +
			"printf '\\177ELF' > usr/bin/made; mkfifo etc/pipe; ln -s no etc/no; echo a > etc/a")}}
	r, err := i.apply(t, "amd64", "arm64", false)
	if err != nil {
		t.Fatal(err)
	}
	all := entries(t, r.got)
	for name, want := range map[string]string{
		"opt/some": "drwxr-xr-x, owner 0:0", "usr/bin/program": "-rwx------, owner 0:0, content \"\\x7fELF program arm64\"",
		"usr/bin/made": "", "etc/pipe": "", "usr/lib/half/x86": "", "etc/a": "-rw-r--r--, owner 0:0, content \"a\\n\"",
	} {
		if got := all[name]; got != want && !strings.HasPrefix(got, want+", of ") {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
}

// Each architecture that images of .NET exist for can be that of the builder.
func TestArchitectures(t *testing.T) {
	for arch, tuple := range tuples {
		out, err := run(t, "dpkg-architecture", "-a"+arch, "-qDEB_HOST_MULTIARCH", "-f")
		if err == nil && strings.TrimSpace(lastLine(out)) != tuple {
			t.Errorf("%s is %s, want %s", arch, out, tuple)
		}
	}
	i := installation{
		base: []made{program},
		install: []made{{name: "named", files: map[string]string{"usr/lib/TUPLE/named/a": "a", "usr/lib/named-ARCH/b": "b"},
			scripts: map[string]string{"postinst": "a=$(echo usr/lib/*/named) b=$(echo usr/lib/named-*)\n" +
				"echo the alarm of a farm, /$a/a, /$b/b, named:${b##*-} > etc/named\n" +
				"ln -s /$a etc/a; ln -s /$b etc/b; ln -s ${b#usr/lib/} usr/lib/named; ln usr/bin/program usr/bin/other"}}},
	}
	named := map[string]string{
		"amd64": "x86-64 x86_64 amd64", "arm64": "aarch64 arm64", "armhf": "armv7l armhf gnueabihf",
	}
	for from := range named {
		for to := range named {
			t.Run(from+" to "+to, func(t *testing.T) {
				t.Parallel()
				i.check(t, from, to)
			})
		}
	}
	for from, words := range named {
		for _, word := range strings.Fields(words) {
			to := "arm64"
			if from == to {
				to = "amd64"
			}
			t.Run(word, func(t *testing.T) {
				t.Parallel()
				i := installation{install: []made{script("echo of " + word + " > etc/word")}}
				want := "script: a script makes /etc/word, which names the architecture of the build platform"
				if _, err := i.apply(t, from, to, false); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want %s", err, want)
				}
			})
		}
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
