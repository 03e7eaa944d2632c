// Package clock compiles Go programs whose wall clock can jump while they run.
//
// Go reads the clock of Linux without a system call, so nothing outside of a program can change what it reads, but for
// the clock of the whole machine. So the program gets a package time of its own, by go build's flag -overlay. It adds
// what is in a file beside the program to each time that [time.Now] gives. The monotonic clock stays as it is, as it
// does when somebody sets the clock of a machine.
package clock

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// jump is a file of package time: it has what has to be added to the clock.
//
//go:embed jump.go.txt
var jump []byte

// reads is how [time.Now] reads the clock, and readsJumped how it does so here.
const (
	reads       = "func Now() Time {\n\tsec, nsec, mono := runtimeNow()\n"
	readsJumped = reads + "\tsec += *jump\n"
)

// Program is a program whose clock can jump. Make it with [Compile].
type Program struct {
	// Path is where it is. The file Path.jump has to stay beside it.
	Path string
}

// Compile compiles a program to dir, by a function that calls go build with more flags. Its clock is right at first.
func Compile(
	ctx context.Context, dir string, build func(ctx context.Context, out string, flags ...string) error,
) (Program, error) {
	p := Program{Path: filepath.Join(dir, "jumping")}
	goroot, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return p, fmt.Errorf("go env GOROOT: %w", err)
	}
	original := filepath.Join(string(bytes.TrimSpace(goroot)), "src/time/time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		return p, err
	}
	if !bytes.Contains(source, []byte(reads)) {
		return p, errors.New("time.Now of this version of Go reads the clock in another way: mend package clock")
	}
	jumped := filepath.Join(dir, "time.go")
	added := filepath.Join(dir, "jump.go")
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		original: jumped, filepath.Join(filepath.Dir(original), "jump.go"): added,
	}})
	if err != nil {
		return p, err
	}
	file := filepath.Join(dir, "overlay.json")
	if err := errors.Join(
		os.WriteFile(jumped, bytes.Replace(source, []byte(reads), []byte(readsJumped), 1), 0o644),
		os.WriteFile(added, jump, 0o644), os.WriteFile(file, overlay, 0o644), p.Jump(0),
	); err != nil {
		return p, err
	}
	return p, build(ctx, p.Path, "-overlay", file)
}

// Jump makes the clock of running and later processes differ from that of the machine by as many whole seconds.
func (p Program) Jump(by time.Duration) error {
	f, err := os.OpenFile(p.Path+".jump", os.O_WRONLY|os.O_CREATE, 0o644) // the same file: processes have it mapped
	if err != nil {
		return err
	}
	_, err = f.WriteAt(binary.NativeEndian.AppendUint64(nil, uint64(by/time.Second)), 0)
	return errors.Join(err, f.Close())
}
