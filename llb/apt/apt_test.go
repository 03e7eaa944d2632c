package apt

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestRequest(t *testing.T) {
	p := Packages{
		Install:  []string{"curl", "tool"},
		Snapshot: time.Date(2026, time.November, 1, 1, 0, 0, 0, time.FixedZone("", 3600)),
		Sources:  []Source{{"tools", "deb https://example.com/ ./", "eng/tools.asc"}, {"other", "Types: deb", ""}},
	}
	file, err := p.Request("/diagnostics", time.Unix(5, 0), true)
	if err != nil || file.Name != RequestFile {
		t.Fatalf("%s, %v", file.Name, err)
	}
	var got map[string]any
	if err := json.Unmarshal(file.Data, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"install": []any{"curl", "tool"}, "recommends": false, "snapshot": "20261101T000000Z", "twin": true,
		"sources": []any{
			map[string]any{"name": "tools", "text": "deb https://example.com/ ./", "key": "/keys/eng/tools.asc"},
			map[string]any{"name": "other", "text": "Types: deb", "key": ""},
		},
		"skipScripts": []any{}, "time": 5.0, "target": "/target", "state": "/state", "unpacked": "/unpacked",
		"installed": "/installed", "pristine": "/pristine", "errors": "/diagnostics/packages.log",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
}

// The program reads each property of a request.
func TestProgramReadsRequest(t *testing.T) {
	file, err := Packages{}.Request("", time.Time{}, false)
	if err != nil {
		t.Fatal(err)
	}
	var request map[string]any
	if err := json.Unmarshal(file.Data, &request); err != nil {
		t.Fatal(err)
	}
	source, err := fs.ReadFile(Program.Sources, "Request.cs")
	if err != nil {
		t.Fatal(err)
	}
	for name := range request {
		if !strings.Contains(string(source), `"`+name+`"`) {
			t.Errorf("Request.cs does not read %s", name)
		}
	}
}

func TestArgs(t *testing.T) {
	args := Args(Resolve, "/opt/net")
	if got := args[4]; got != "/opt/net" {
		t.Errorf("looks into %s first", got)
	}
	const want = `exec "/sdk$root/dotnet" exec "/installer/installer.dll" "resolve" "/request/request.json"`
	if !strings.Contains(args[2], want) {
		t.Errorf("no %s in\n%s", want, args[2])
	}
}

// What the base says to .NET is for its apps.
func TestArgsEnvironment(t *testing.T) {
	sdk := t.TempDir()
	dotnet := filepath.Join(sdk, "opt", "dotnet")
	if err := os.MkdirAll(filepath.Dir(dotnet), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dotnet, []byte("#!/bin/sh\nenv"), 0o755); err != nil {
		t.Fatal(err)
	}
	args := Args(Resolve, "/opt")
	cmd := exec.Command(args[0], "-c", strings.ReplaceAll(args[2], SDKDir, sdk), "sh", args[4])
	cmd.Env = append(os.Environ(), "DOTNET_STARTUP_HOOKS=/app/hook.dll", "CORECLR_ENABLE_PROFILING=1",
		"COMPlus_GCHeapHardLimit=0x1", "DOTNET_gcServer=1", "KEPT=DOTNET_A=b")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := regexp.MustCompile(`(?m)^(DOTNET|CORECLR|COMPlus)_\w+`).FindAllString(string(out), -1); len(got) > 0 {
		t.Errorf("the program gets %q", got)
	}
	if !strings.Contains(string(out), "KEPT=DOTNET_A=b\n") {
		t.Errorf("the program does not get all others:\n%s", out)
	}
}

func TestParseList(t *testing.T) {
	const list = `[{"package": "curl", "version": "1", "architecture": "arm64", "source": "c", "sha256": "a"}]`
	got, err := ParseList([]byte(list))
	if want := []Package{{"curl", "1", "arm64", "c", "a"}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if _, err := ParseList([]byte("x")); err == nil {
		t.Error("no error for what is no list")
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct {
		name, file string
		want       []string
	}{
		{"lines", "Unable to locate package x\n\n  two  \n", []string{"Unable to locate package x", "two"}},
		{
			"a broken list", "Encountered a section with no Package: header\n" +
				"Problem with MergeList /state/lists/127.0.0.1:80_a%5fb_Packages.lz4\nCould not be opened.\n",
			[]string{"Problem with MergeList 127.0.0.1:80/a_b/Packages", "Encountered a section with no Package: header",
				"Could not be opened."},
		},
		{
			"a list without an extension", "Unable to parse package file /state/lists/deb.test_debian_Packages (1)\n",
			[]string{"Unable to parse package file deb.test/debian/Packages (1)"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := ParseErrors([]byte(tc.file)); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// The program is C# alone, in lines that fit.
func TestSources(t *testing.T) {
	files, err := Program.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if ext := path.Ext(f.Name); ext != ".cs" && ext != ".sh" {
			t.Errorf("file %s", f.Name)
		}
		for i, line := range strings.Split(string(f.Data), "\n") {
			if n := utf8.RuneCountInString(line); n > 120 {
				t.Errorf("%s:%d has %d columns", f.Name, i+1, n)
			}
		}
	}
}
