package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// nobody is the user without rights that steps have, too (package llb).
const nobody = 65532

// dropRights makes this process that of a user without rights: BuildKit starts frontends as root of their container,
// whatever user their image names. All that it needs is readable for everybody, and it writes no file. A rootless
// BuildKit may have no other user than its own: then the process stays that one.
func dropRights() error {
	if os.Getuid() != 0 {
		return nil
	}
	for _, drop := range []func() error{
		func() error { return syscall.Setgroups(nil) },
		func() error { return syscall.Setgid(nobody) },
		func() error { return syscall.Setuid(nobody) },
	} {
		if err := drop(); errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EPERM) {
			return nil
		} else if err != nil {
			return fmt.Errorf("give up the rights of root: %w", err)
		}
	}
	return nil
}
