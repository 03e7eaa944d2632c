package lab

import "syscall"

// detach unmounts what may still be in use.
func detach(mount string) error { return syscall.Unmount(mount, syscall.MNT_DETACH) }
