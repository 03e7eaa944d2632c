package dotnet

import (
	"strings"
	"testing"
	"testing/fstest"
)

// The programs of the frontend's image serve the SDK that compiled them, and newer ones.
func TestCompiled(t *testing.T) {
	c, err := ReadCompiled(fstest.MapFS{
		"evaluator.dll": {Data: []byte("IL")},
		"sdk-version":   {Data: []byte("10.0.401\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]bool{
		"10.0.401":                    true,
		"10.0.402":                    true,
		"11.0.100-rc.1.25451.107":     true,
		"10.0.401-preview.1.25451.10": false,
		"10.0.110":                    false,
		"9.0.308":                     false,
		"":                            false,
		"latest":                      false,
	} {
		files, err := c.Files(Evaluator, version)
		if got := len(files) > 0; err != nil || got != want {
			t.Errorf("SDK %q: %t, %v, want %t", version, got, err, want)
		}
		if want && (files[0].Name != "evaluator.dll" || string(files[0].Data) != "IL" ||
			files[1].Name != "evaluator.runtimeconfig.json") {
			t.Errorf("SDK %q: %v", version, files)
		}
	}
	if _, err := c.Files(Program{Name: "other"}, "10.0.401"); err == nil {
		t.Error("a program that the image lacks is no error")
	}
}

func TestNothingCompiled(t *testing.T) {
	c, err := ReadCompiled(fstest.MapFS{})
	if err != nil || c != nil {
		t.Fatalf("got %v, %v, want none", c, err)
	}
	if files, err := c.Files(Evaluator, "10.0.401"); files != nil || err != nil {
		t.Errorf("got %v, %v, want none", files, err)
	}
}

func TestBrokenVersionOfCompiled(t *testing.T) {
	for version, want := range map[string]string{"": `"" is not a version`, "x": `"x" is not a version`} {
		_, err := ReadCompiled(fstest.MapFS{"sdk-version": {Data: []byte(version)}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("version %q: got %v, want %s", version, err, want)
		}
	}
}
