//go:build !linux

package main

// dropRights does nothing: BuildKit starts frontends on Linux only.
func dropRights() error { return nil }
