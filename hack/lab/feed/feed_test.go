package feed

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func nuspec(id, version string) string {
	return "\ufeff" + `<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata><id>` + id + `</id><version>` +
		version + `</version></metadata></package>`
}

// write makes a package file out of names and contents, and returns its bytes.
func write(t *testing.T, path string, files ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, files[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, buf.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestFeed(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	// The file name says something else, and a nuspec in a folder is content.
	lib := write(t, filepath.Join(first, "misleading.9.9.9.nupkg"),
		"content/other.nuspec", nuspec("Other", "5.0.0"), "Some.Lib.nuspec", nuspec("Some.Lib", "1.02.0.0+build"))
	write(t, filepath.Join(first, "b.NUPKG"), "some.lib.NUSPEC", nuspec("Some.Lib", "1.3-Beta.1"))
	write(t, filepath.Join(second, "duplicate.nupkg"), "Some.Lib.nuspec", nuspec("some.lib", "1.2.0"), "extra", "x")
	write(t, filepath.Join(second, "tool.nupkg"), "Tool.nuspec", nuspec("Tool", "2.0.0.1"))
	if err := os.WriteFile(filepath.Join(second, "readme.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(first, second)
	if err != nil {
		t.Fatal(err)
	}
	if f.Len() != 3 {
		t.Errorf("%d packages, want 3", f.Len())
	}
	srv := httptest.NewServer(f)
	defer srv.Close()

	for _, tc := range []struct {
		path, want string // want "" is not found
	}{
		{Index,
			`{"version":"3.0.0","resources":[{"@id":"` + srv.URL + `/v3/flat/","@type":"PackageBaseAddress/3.0.0"}]}` + "\n"},
		{"/v3/flat/some.lib/index.json", `{"versions":["1.2.0","1.3.0-beta.1"]}` + "\n"},
		{"/v3/flat/tool/index.json", `{"versions":["2.0.0.1"]}` + "\n"},
		{"/v3/flat/some.lib/1.2.0/some.lib.1.2.0.nupkg", string(lib)},
		{"/v3/flat/some.lib/1.2.0/some.lib.nuspec", nuspec("Some.Lib", "1.02.0.0+build")},
		{"/v3/flat/other/index.json", ""},
		{"/v3/flat/misleading/index.json", ""},
		{"/v3/flat/some.lib/1.2.0/other.nuspec", ""},
		{"/v3/flat/some.lib/9.9.9/some.lib.9.9.9.nupkg", ""},
		{"/v3/flat/some.lib/1.2.0/..%2f..%2freadme.txt", ""},
		{"/", ""},
	} {
		t.Run(tc.path, func(t *testing.T) {
			resp, err := http.Get(srv.URL + tc.path)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if tc.want == "" {
				if resp.StatusCode != http.StatusNotFound {
					t.Errorf("status %d, want 404", resp.StatusCode)
				}
				return
			}
			if resp.StatusCode != http.StatusOK || string(body) != tc.want {
				t.Errorf("status %d, %d bytes %.200q, want %d bytes %.200q", resp.StatusCode, len(body), body, len(tc.want),
					tc.want)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files []string // of the package; none is a file that is no zip
		want  string
	}{
		{"no zip", nil, "not a valid zip file"},
		{"no nuspec", []string{"lib/x.dll", "x"}, "no nuspec"},
		{"broken nuspec", []string{"x.nuspec", "<package><metadata>"}, "nuspec: XML"},
		{"no version", []string{"x.nuspec", nuspec("X", "")}, "no version"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.nupkg")
			if tc.files == nil {
				if err := os.WriteFile(path, []byte("text"), 0o644); err != nil {
					t.Fatal(err)
				}
			} else {
				write(t, path, tc.files...)
			}
			_, err := Open(filepath.Dir(path))
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want one with %q and the file's path", err, tc.want)
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a missing folder is no error")
	}
}

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"1.0":             "1.0.0",
		"1":               "1.0.0",
		"1.2.3":           "1.2.3",
		"1.2.3.0":         "1.2.3",
		"1.2.3.4":         "1.2.3.4",
		"01.002.0":        "1.2.0",
		"1.0.0-RC.1+abc":  "1.0.0-rc.1",
		"1.0-beta":        "1.0.0-beta",
		"1.0.0-rc-2.0":    "1.0.0-rc-2.0",
		"10.20.30.0-a.01": "10.20.30-a.01",
		"":                "",
	} {
		if got := normalize(in); got != want {
			t.Errorf("normalize(%q) = %q, want %q", in, got, want)
		}
	}
}
