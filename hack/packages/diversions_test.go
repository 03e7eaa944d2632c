package packages

import "testing"

// What scripts divert, or divert no more, is where a native installation has it, and so is dpkg's list of it.
func TestDiversions(t *testing.T) {
	tool := made{name: "tool", files: map[string]string{
		"usr/bin/tool": "\x7fELF tool ARCH", "usr/lib/TUPLE/libtool.so": "\x7fELF lib ARCH",
	}}
	const add = "dpkg-divert --package diverts --add --rename --divert "
	const remove = "dpkg-divert --package diverts --remove --rename "
	diverts := func(version string, scripts map[string]string, files map[string]string) made {
		return made{name: "diverts", version: version, scripts: scripts, files: files}
	}
	own := map[string]string{"usr/bin/tool": "of diverts"}
	for name, i := range map[string]installation{
		"added before, of the base": {base: []made{tool}, install: []made{
			diverts("1", map[string]string{"preinst": add + "/usr/bin/tool.real /usr/bin/tool"}, own),
		}},
		"added afterwards, of the base": {base: []made{tool}, install: []made{
			diverts("1", map[string]string{"postinst": add + "/usr/bin/tool.real /usr/bin/tool"}, nil),
		}},
		"added before, of the same run": {install: []made{
			tool, diverts("1", map[string]string{"preinst": add + "/usr/bin/tool.real /usr/bin/tool"}, own),
		}},
		"added afterwards, of the same run": {install: []made{
			tool, diverts("1", map[string]string{"postinst": add + "/usr/bin/tool.real /usr/bin/tool"}, nil),
		}},
		"two, one in a path that names the architecture": {base: []made{tool}, install: []made{
			diverts("1", map[string]string{"preinst": add + "/usr/bin/tool.real /usr/bin/tool\n" +
				"l=$(ls usr/lib/*/libtool.so); " + add + "/$l.real /$l"}, own),
		}},
		"removed": {
			base: []made{tool, diverts("1", map[string]string{
				"preinst": add + "/usr/bin/tool.real /usr/bin/tool",
			}, own)},
			install: []made{diverts("2", map[string]string{"postinst": remove + "/usr/bin/tool"}, nil)},
		},
		"removed before": {
			base: []made{tool, diverts("1", map[string]string{
				"preinst": add + "/usr/bin/tool.real /usr/bin/tool",
			}, nil)},
			install: []made{diverts("2", map[string]string{"preinst": remove + "/usr/bin/tool"}, nil)},
		},
		"removed while the file gets another version": {
			base: []made{tool, diverts("1", map[string]string{
				"preinst": add + "/usr/bin/tool.real /usr/bin/tool",
			}, nil)},
			install: []made{
				{name: "tool", version: "2", files: map[string]string{"usr/bin/tool": "\x7fELF tool two ARCH"}},
				diverts("2", map[string]string{"postinst": remove + "/usr/bin/tool"}, nil),
			},
		},
		"to another place": {
			base: []made{tool, diverts("1", map[string]string{
				"preinst": add + "/usr/bin/tool.real /usr/bin/tool",
			}, own)},
			install: []made{diverts("2", map[string]string{
				"preinst": "rm usr/bin/tool; " + remove + "/usr/bin/tool; " + add + "/usr/bin/tool.other /usr/bin/tool",
			}, own)},
		},
		"added where the base diverts in a path of its own": {
			base: []made{tool, {name: "other", scripts: map[string]string{"postinst": "l=$(ls usr/lib/*/libtool.so)\n" +
				"dpkg-divert --package other --add --rename --divert /$l.other /$l"}}},
			install: []made{diverts("1", map[string]string{
				"preinst": add + "/usr/bin/tool.real /usr/bin/tool; " + add + "/usr/bin/base.real /usr/bin/base",
			}, own)},
		},
		"without moving the file": {base: []made{tool}, install: []made{
			diverts("1", map[string]string{
				"postinst": "dpkg-divert --package diverts --add --no-rename --divert /usr/bin/tool.real /usr/bin/tool",
			}, nil),
		}},
		"without moving the file, of the same run": {install: []made{
			tool, diverts("1", map[string]string{
				"postinst": "dpkg-divert --package diverts --add --no-rename --divert /usr/bin/tool.real /usr/bin/tool",
			}, nil),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i.check(t, "amd64", "arm64")
		})
	}
}
