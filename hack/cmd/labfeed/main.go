// Command labfeed serves folders of NuGet packages on a loopback address; it is the lab's feed daemon.
//
//	labfeed ADDRESS [FOLDER]...
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/crosshull/crosshull/hack/lab/feed"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: labfeed ADDRESS [FOLDER]...")
		os.Exit(2)
	}
	if err := serve(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "labfeed:", err)
		os.Exit(1)
	}
}

func serve(address string, dirs []string) error {
	f, err := feed.Open(dirs...)
	if err != nil {
		return err
	}
	fmt.Printf("labfeed: %d packages on %s\n", f.Len(), address)
	return http.ListenAndServe(address, f)
}
