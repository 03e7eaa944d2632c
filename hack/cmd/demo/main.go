// Command demo does crosshull's main job on a real example, all the way: from examples/aspnetapp to an index of three
// platforms in a registry, and to its page out of a container for amd64 and an emulated arm64 machine. It sets up what
// is missing, and leaves the lab up to look around in. Its last line is "demo: REFERENCE@DIGEST".
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/crosshull/crosshull/hack/lab"
	"github.com/crosshull/crosshull/hack/lab/run"
	"github.com/crosshull/crosshull/hack/lab/tools"
)

const (
	platforms = "linux/amd64,linux/arm64,linux/arm/v7"
	port      = 8088 // of the container, which shares the machine's network
)

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
	l, err := lab.New()
	if err != nil {
		return err
	}
	moduleDir, err := tools.ModuleDir(ctx)
	if err != nil {
		return err
	}
	example := filepath.Join(filepath.Dir(moduleDir), "examples", "aspnetapp")

	b, err := findBuilder(ctx, l, filepath.Dir(moduleDir))
	if err != nil {
		return err
	}
	heading("Build the frontend image from the Dockerfile: it is not published yet")
	if err := b.frontend(ctx); err != nil {
		return err
	}
	heading("Build examples/aspnetapp, whose crosshull.yaml is one line")
	ref := l.Registry() + "/aspnetapp"
	if err := b.build(ctx, example, ref); err != nil {
		return err
	}
	heading("What is in the registry")
	digest, err := show(ctx, os.Stdout, ref)
	if err != nil {
		return err
	}

	pinned := ref + "@" + digest
	runCtx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	heading("Run the image for linux/amd64 under runc, and get its page")
	res, err := run.Container(
		runCtx,
		run.Spec{Ref: pinned, Port: port, Env: []string{fmt.Sprintf("ASPNETCORE_HTTP_PORTS=%d", port)}},
	)
	if err != nil {
		return err
	}
	printPage(res.Body)
	heading("Run the image for linux/arm64 on an emulated arm64 machine, and get its page")
	res, err = run.Machine(runCtx, l.Dir(), run.Spec{Ref: pinned, Port: 8080})
	if err != nil {
		return err
	}
	printPage(res.Body)

	fmt.Printf("\nThe registry is left up. To look around:\n")
	fmt.Printf("  skopeo inspect --tls-verify=false docker://%s\n", ref)
	fmt.Printf("  curl http://%s/v2/aspnetapp/tags/list\n", l.Registry())
	fmt.Printf("make down ends it.\n\ndemo: %s\n", pinned)
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

// command runs a program with its output shown, and its command line before.
func command(ctx context.Context, dir string, env []string, args ...string) error {
	fmt.Printf("$ %s\n", strings.Join(append([]string{filepath.Base(args[0])}, args[1:]...), " "))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = dir, append(append(os.Environ(), "BUILDKIT_PROGRESS=plain"), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return nil
}
