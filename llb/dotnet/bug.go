package dotnet

import "fmt"

// Issues is where users report a bug.
const Issues = "https://github.com/crosshull/crosshull/issues"

// Bug ends an error that only a bug in crosshull can cause with a request to report it.
func Bug(err error) error {
	return fmt.Errorf("%w. This is a bug in crosshull: please report it at %s", err, Issues)
}
