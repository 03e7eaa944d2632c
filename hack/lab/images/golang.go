package images

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// goEnv is how this machine gets modules; the image gets them in the same way.
func goEnv() []string {
	names := []string{"GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		return nil
	}
	var env []string
	for i, v := range strings.Split(strings.TrimRight(string(out), "\n"), "\n") {
		if v != "" && i < len(names) {
			env = append(env, names[i]+"="+v)
		}
	}
	return env
}

// golangImage stands in for docker.io/library/golang: the machine's Go, and its certificates.
func (m *maker) golangImage(parts parts, p v1.Platform) (v1.Image, error) {
	return assemble(parts, []string{"os-amd64-noble", "golang"}, v1.Config{
		Env: append([]string{
			"PATH=/go/bin:/usr/local/go/bin:" + strings.TrimPrefix(osPath, "PATH="),
			"GOLANG_VERSION=" + m.goversion, "GOTOOLCHAIN=local", "GOPATH=/go",
		}, goEnv()...),
		Cmd:        []string{"bash"},
		WorkingDir: "/go",
	}, p)
}

func (m *maker) golangTree() (*tree, error) {
	t := &tree{}
	err := t.addDisk(m.goroot, "usr/local/go", func(rel string) bool {
		first, _, _ := strings.Cut(rel, string(filepath.Separator))
		return first == "test" || first == "api" || first == "doc" || first == "misc" || filepath.Base(rel) == "testdata"
	})
	if err != nil {
		return nil, err
	}
	t.addDir("go/bin", 0o777, 0)
	t.addDir("go/src", 0o777, 0)
	// A machine behind a proxy of its own trusts more than Debian's certificates.
	for _, file := range []string{os.Getenv("SSL_CERT_FILE"), "/etc/ssl/certs/ca-certificates.crt"} {
		if dt, err := os.ReadFile(file); err == nil {
			t.addFile("etc/ssl/certs/ca-certificates.crt", 0o644, dt)
			break
		}
	}
	return t, nil
}
