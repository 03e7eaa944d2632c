// Command crosshull-frontend is the BuildKit frontend: BuildKit starts it in a container and speaks the gateway
// protocol with it over standard input and output. It has no flags; see package frontend.
package main

import (
	"fmt"
	"os"

	"github.com/moby/buildkit/frontend/gateway/grpcclient"
	"github.com/moby/buildkit/util/appcontext"
	_ "github.com/moby/buildkit/util/grpcutil/encoding/proto" // the codec that BuildKit speaks

	"github.com/crosshull/crosshull/frontend"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// evaluatorFolder is where the image has the program that asks MSBuild: see the Dockerfile.
const evaluatorFolder = "/evaluator"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "crosshull-frontend:", err) // ends up in BuildKit's log
		os.Exit(1)
	}
}

func run() error {
	evaluator, err := dotnet.ReadEvaluator(os.DirFS(evaluatorFolder))
	if err != nil {
		return err
	}
	return grpcclient.RunFromEnvironment(appcontext.Context(), frontend.With(evaluator))
}
