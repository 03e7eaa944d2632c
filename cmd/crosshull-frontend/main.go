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

// programs is where the image has the programs that steps run: see the Dockerfile.
const programs = "/programs"

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "crosshull-frontend:", err) // ends up in BuildKit's log
		os.Exit(1)
	}
}

func run() error {
	if err := dropRights(); err != nil {
		return err
	}
	compiled, err := dotnet.ReadCompiled(os.DirFS(programs))
	if err != nil {
		return err
	}
	return grpcclient.RunFromEnvironment(appcontext.Context(), frontend.With(compiled))
}
