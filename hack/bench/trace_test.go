package bench

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The files are what buildx printed of builds of aspnetapp for two platforms, without logs.
func TestParseTrace(t *testing.T) {
	for _, tc := range []struct {
		name string
		want trace
	}{
		{"crosshull", trace{steps: 12, execs: 3, frontend: 10.782}},
		{"dockerfile", trace{steps: 18, execs: 4, frontend: 13.664}},
		{"unchanged", trace{steps: 0, execs: 0, frontend: 0.238}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dt, err := os.ReadFile(filepath.Join("testdata", tc.name+".rawjson"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := parseTrace(dt)
			if err != nil {
				t.Fatal(err)
			}
			if got.steps != tc.want.steps || got.execs != tc.want.execs || math.Abs(got.frontend-tc.want.frontend) > 0.001 {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
	if _, err := parseTrace([]byte("{}\n")); err == nil || !strings.Contains(err.Error(), exportImage) {
		t.Errorf("error of an empty trace: %v", err)
	}
}

func TestExecutes(t *testing.T) {
	for name, want := range map[string]bool{
		"[linux/amd64->arm64 build 5/7] RUN dotnet restore":         true,
		"[build 5/7] RUN --mount=type=cache,target=/x dotnet build": true,
		"[linux/amd64 build 6/7] LINK COPY --link . .":              false,
		"[stage-1 2/3] WORKDIR /app":                                false,
		"[publish] dotnet publish app.csproj":                       true,
		"[publish] apphost for linux-x64":                           true,
		"[publish] copy sources":                                    false,
		"[image linux/arm64] merge base and app":                    false,
		"[describe] crosshull's MSBuild targets":                    false,
		"[assets] something new":                                    true,
	} {
		if got := executes(name); got != want {
			t.Errorf("%s executes: %v, want %v", name, got, want)
		}
	}
}

func TestReadable(t *testing.T) {
	const rawjson = `{"vertexes":[{"digest":"sha256:a","name":"[publish] dotnet publish"},` +
		`{"digest":"sha256:b","name":"[restore] dotnet restore"}]}
{"logs":[{"vertex":"sha256:a","data":"ZXJyb3IgQ1MxMDAyCg=="},{"vertex":"sha256:b","data":"cmVzdG9yZWQK"}]}
{"vertexes":[{"digest":"sha256:a","name":"[publish] dotnet publish","error":"exit code: 1"}]}
ERROR: failed to build
`
	const want = "ERROR: failed to build\n[publish] dotnet publish\nerror CS1002\nexit code: 1\n"
	if got := readable([]byte(rawjson)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
