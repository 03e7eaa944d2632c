package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Program is the program, on PATH in the lab, that does the work of [Container] and [Machine]: unpacking an image takes
// fifteen times as long in a test that looks for data races. Where it is missing the work is done in this process.
const Program = "labrun"

// request is what Program is asked.
type request struct {
	Spec
	Machine  bool
	Cache    string
	Deadline time.Time // zero for none
}

// Container runs an image under runc, on the network of the host: two that listen to one port exclude each other.
// An image of another architecture fails as it does in docker: its output is an exec format error.
func Container(ctx context.Context, s Spec) (*Result, error) {
	return request{Spec: s}.apart(ctx)
}

// Machine runs an image for linux/arm64 on an emulated machine: a Debian kernel, and the files of the image as its root
// file system. Emulating a whole machine is slow but right; qemu's user mode hangs on .NET. The kernel is kept in cache.
func Machine(ctx context.Context, cache string, s Spec) (*Result, error) {
	return request{Spec: s, Machine: true, Cache: cache}.apart(ctx)
}

// apart runs it by Program.
func (r request) apart(ctx context.Context) (*Result, error) {
	program, err := exec.LookPath(Program)
	if err != nil {
		return r.run(ctx)
	}
	r.Deadline, _ = ctx.Deadline()
	dt, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	var out, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(dt), &out, &stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 3 * stopTimeout // in which it ends what it has started
	err = cmd.Run()
	switch said := strings.TrimSpace(stderr.String()); {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w\n%s", ctx.Err(), said)
	case err != nil && said != "":
		return nil, errors.New(said)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", Program, err)
	}
	res := &Result{}
	if err := json.Unmarshal(out.Bytes(), res); err != nil {
		return nil, fmt.Errorf("read what %s says: %w\n%s", Program, err, tail(out.String()))
	}
	return res, nil
}

// Serve does in this process what one request asks for: it is all of Program.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	var r request
	if err := json.NewDecoder(in).Decode(&r); err != nil {
		return errors.New("it is asked by package run alone: " + err.Error())
	}
	if !r.Deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, r.Deadline)
		defer cancel()
	}
	res, err := r.run(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(res)
}

func (r request) run(ctx context.Context) (*Result, error) {
	if r.Machine {
		return machine(ctx, r.Cache, r.Spec)
	}
	return container(ctx, r.Spec)
}
