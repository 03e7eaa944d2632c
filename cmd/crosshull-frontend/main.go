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
)

func main() {
	if err := grpcclient.RunFromEnvironment(appcontext.Context(), frontend.Build); err != nil {
		fmt.Fprintln(os.Stderr, "crosshull-frontend:", err) // ends up in BuildKit's log
		os.Exit(1)
	}
}
