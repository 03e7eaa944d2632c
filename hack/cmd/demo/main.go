// Command demo builds a real example: from examples/aspnetapp to an index for three platforms, and to the page of a
// running container. If a Docker engine answers, the demo uses it. Then it needs no root, and installs nothing. If not,
// it sets up the lab, which needs root and Debian. It pushes to the lab's registry, and runs the image on amd64 and on
// an emulated arm64 machine. Its last line is "demo: NAME@DIGEST".
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/crosshull/crosshull/hack/lab/tools"
)

const platforms = "linux/amd64,linux/arm64,linux/arm/v7"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := demo(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

var began = time.Now()

func heading(format string, args ...any) {
	fmt.Printf("\n==> %s  (%.0f s)\n", fmt.Sprintf(format, args...), time.Since(began).Seconds())
}

func demo(ctx context.Context) error {
	moduleDir, err := tools.ModuleDir(ctx)
	if err != nil {
		return err
	}
	repo := filepath.Dir(moduleDir)
	example := filepath.Join(repo, "examples", "aspnetapp")
	dir, err := os.MkdirTemp("", "crosshull-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	p, err := findPlace(ctx, repo, dir)
	if err != nil {
		return err
	}
	heading("Build the frontend image from the Dockerfile: it is not published yet")
	if err := p.frontend(ctx); err != nil {
		return err
	}
	heading("Build examples/aspnetapp, whose crosshull.yaml is one line")
	index, name, err := p.build(ctx, example)
	if err != nil {
		return err
	}
	heading("What was built")
	digest, err := show(os.Stdout, index, name)
	if err != nil {
		return err
	}
	if err := p.run(ctx, example); err != nil {
		return err
	}
	fmt.Printf("\n%s\n\ndemo: %s@%s\n", p.left(), name, digest)
	return nil
}

var row = regexp.MustCompile(`<title>([^<]*)</title>|<th[^>]*>([^<]*)</th>\s*<td[^>]*>([^<]*)</td>`)

// printPage prints title and table of the example's page.
func printPage(html string) {
	for _, m := range row.FindAllStringSubmatch(html, -1) {
		if m[1] != "" {
			fmt.Printf("    %s\n", m[1])
			continue
		}
		fmt.Printf("      %-18s %s\n", m[2], m[3])
	}
}
