package dotnet

import (
	"strings"
	"testing"
	"testing/fstest"
)

// The program of the frontend's image serves the SDK that compiled it, and newer ones.
func TestEvaluatorOfImage(t *testing.T) {
	e, err := ReadEvaluator(fstest.MapFS{
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
		files := e.Files(version)
		if got := len(files) > 0; got != want {
			t.Errorf("SDK %q: %t, want %t", version, got, want)
		}
		if want && (files[0].Name != evaluatorFile || string(files[0].Data) != "IL" ||
			files[1].Name != EvaluatorConfig().Name) {
			t.Errorf("SDK %q: %v", version, files)
		}
	}
}

func TestNoEvaluatorOfImage(t *testing.T) {
	e, err := ReadEvaluator(fstest.MapFS{})
	if err != nil || e != nil || e.Files("10.0.401") != nil {
		t.Errorf("got %v, %v, want none", e, err)
	}
}

func TestBrokenEvaluatorOfImage(t *testing.T) {
	for version, want := range map[string]string{"": `"" is not a version`, "x": `"x" is not a version`} {
		_, err := ReadEvaluator(fstest.MapFS{"evaluator.dll": {}, "sdk-version": {Data: []byte(version)}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("version %q: got %v, want %s", version, err, want)
		}
	}
	if _, err := ReadEvaluator(fstest.MapFS{"evaluator.dll": {}}); err == nil {
		t.Error("a program without a version is taken")
	}
}
