// Command repro tests that builds are reproducible. Without a command it builds examples in several ways, and says
// whether all give the same images. compare compares two images down to the file. policy makes a source policy from the
// provenance of an image, to build the image again. Packages repro, diff and policy say how. For builds it sets up what
// the lab lacks, and leaves the lab up.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/crosshull/crosshull/hack/lab"
	"github.com/crosshull/crosshull/hack/lab/tools"
	"github.com/crosshull/crosshull/hack/repro"
	"github.com/crosshull/crosshull/hack/repro/diff"
	"github.com/crosshull/crosshull/hack/repro/policy"
)

const usage = `usage: repro [-example NAME,...] [-variant RE] [-docs DIR]
       repro compare REF REF
       repro policy REF

Without a command, builds examples in several ways and compares the images.

  -example NAME,...  only these of the folder examples
  -variant RE        only variants that match, such as "same again", "another daemon", "git", "two nodes"
  -docs DIR          write the output into concepts/reproducibility.md in DIR, relative to the repository's root

compare prints what differs between two images or indexes in a registry, down to the file, attestations left out.

policy prints the source policy that pins what an image was built from, by its provenance, for
EXPERIMENTAL_BUILDKIT_SOURCE_POLICY=FILE docker buildx build.

exit code: 0 when all is equal, 1 when something differs, 2 for wrong usage, 3 for another failure
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// errDifferent says that images differ, although they should be equal.
var errDifferent = errors.New("not the same")

// errUsage says what is wrong with the command line.
type errUsage struct{ error }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := command(ctx, args, stdout, stderr)
	var wrong errUsage
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		_, _ = io.WriteString(stdout, usage)
		return 0
	case errors.As(err, &wrong):
		_, _ = fmt.Fprintf(stderr, "repro: %v\n%s", err, usage)
		return 2
	case errors.Is(err, errDifferent):
		_, _ = fmt.Fprintf(stderr, "repro: %v\n", err)
		return 1
	}
	if ctx.Err() != nil {
		err = errors.New("interrupted") // the errors of interrupted steps are of no use
	}
	_, _ = fmt.Fprintf(stderr, "repro: %v\n", err)
	return 3
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case "compare":
			return compare(ctx, args[1:], stdout)
		case "policy":
			return writePolicy(ctx, args[1:], stdout)
		}
	}
	return build(ctx, args, stdout, stderr)
}

// build builds the examples in all ways.
func build(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c := repro.Config{Examples: repro.Examples}
	var docs string
	flags := flag.NewFlagSet("repro", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Func("example", "", func(s string) error {
		c.Examples = strings.Split(s, ",")
		return nil
	})
	flags.Func("variant", "", func(s string) (err error) {
		c.Variants, err = regexp.Compile(s)
		return err
	})
	flags.StringVar(&docs, "docs", "", "")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return errUsage{err}
	}
	if flags.NArg() > 0 {
		return errUsage{fmt.Errorf("unexpected %q", flags.Arg(0))}
	}
	l, err := lab.New()
	if err != nil {
		return err
	}
	report, err := repro.Run(ctx, l, c, stderr)
	if err != nil {
		return err
	}
	if err := report.Write(stdout); err != nil {
		return err
	}
	if docs != "" {
		if !filepath.IsAbs(docs) {
			moduleDir, err := tools.ModuleDir(ctx)
			if err != nil {
				return err
			}
			docs = filepath.Join(filepath.Dir(moduleDir), docs)
		}
		if err := report.WriteDocs(docs); err != nil {
			return err
		}
	}
	if !report.Equal() {
		return errDifferent
	}
	return nil
}

// credentials are the user's credentials, as docker has them.
func credentials(ctx context.Context) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
}

// compare prints what differs between two images.
func compare(ctx context.Context, args []string, stdout io.Writer) error {
	if err := references(args, 2); err != nil {
		return err
	}
	a, err := diff.Get(args[0], credentials(ctx)...)
	if err != nil {
		return err
	}
	b, err := diff.Get(args[1], credentials(ctx)...)
	if err != nil {
		return err
	}
	found, err := diff.Compare(a, b)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		da, err := a.Digest()
		if err != nil {
			return err
		}
		db, err := b.Digest()
		if err != nil {
			return err
		}
		but := ""
		if da != db {
			but = ", attestations left out"
		}
		_, err = fmt.Fprintf(stdout, "equal%s\n", but)
		return err
	}
	if err := diff.Write(stdout, found, shown); err != nil {
		return err
	}
	return errDifferent
}

// shown is how many differences are shown of a layer, or another part of an image.
const shown = 100

// writePolicy prints the policy that pins what an image was built from.
func writePolicy(ctx context.Context, args []string, stdout io.Writer) error {
	if err := references(args, 1); err != nil {
		return err
	}
	materials, err := policy.Materials(args[0], credentials(ctx)...)
	if err != nil {
		return err
	}
	p, err := policy.New(materials)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(p)
}

// references checks that there are n arguments, none of them a flag.
func references(args []string, n int) error {
	for _, arg := range args {
		switch {
		case arg == "-h" || arg == "-help" || arg == "--help":
			return flag.ErrHelp
		case strings.HasPrefix(arg, "-"):
			return errUsage{fmt.Errorf("unexpected %q", arg)}
		}
	}
	if len(args) != n {
		return errUsage{fmt.Errorf("%d references, want %d", len(args), n)}
	}
	return nil
}
