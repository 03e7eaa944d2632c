//go:build !linux

package lab

import "errors"

// A lab needs Linux. This is for the demo and the tests with a Docker engine, which use only parts of this package.
func detach(string) error { return errors.ErrUnsupported }
