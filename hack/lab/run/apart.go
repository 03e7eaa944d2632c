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
	"sync"
	"syscall"
	"time"
)

// Program is the program, on PATH in the lab, that does the work of [Container] and [VM]: unpacking an image takes
// fifteen times as long in a test that looks for data races. If it is missing, this process does the work.
const Program = "labrun"

// Container runs an image under runc, on the network of the host: two apps cannot listen on one port at the same time.
// An image of another architecture fails as it does in docker: its output is an exec format error. Large layers are
// kept in the folder cache.
func Container(ctx context.Context, cache string, s Spec) (*Result, error) {
	d := &doer{}
	res, err := d.do(ctx, request{Spec: s, Cache: cache})
	return res, errors.Join(err, d.close())
}

// Machine runs an image for linux/arm64 on a [VM] of its own.
func Machine(ctx context.Context, cache string, s Spec) (*Result, error) {
	v := NewVM(cache)
	res, err := v.Run(ctx, s)
	return res, errors.Join(err, v.Close())
}

// VM is an emulated arm64 machine: a Debian kernel, and the files of an image as the root file system of its app. It
// starts with the first image and runs one after the other, until Close. A file that several images have is sent to it
// only once. Emulating a whole machine is slow but right; qemu's user mode hangs on .NET.
type VM struct {
	cache string
	mu    sync.Mutex
	doer  doer
}

// NewVM gives a machine that keeps its kernel and large layers in the folder cache.
func NewVM(cache string) *VM { return &VM{cache: cache} }

// Run runs an image. It waits for the images that others run.
func (v *VM) Run(ctx context.Context, s Spec) (*Result, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.doer.do(ctx, request{Spec: s, Machine: true, Cache: v.cache})
}

// Close ends the machine.
func (v *VM) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.doer.close()
}

// request goes to Program, and answer comes back, each as a line of JSON.
type (
	request struct {
		Spec
		Machine  bool
		Cache    string
		Deadline time.Time // zero for none
	}
	answer struct {
		Result *Result
		Error  string
	}
)

// doer does what requests ask for, one after the other, by Program if it is there.
type doer struct {
	here server

	cmd    *exec.Cmd // Program, if it runs
	in     io.WriteCloser
	out    *json.Decoder
	stderr bytes.Buffer
}

func (d *doer) do(ctx context.Context, r request) (*Result, error) {
	program, err := exec.LookPath(Program)
	if err != nil {
		return d.here.do(ctx, r)
	}
	if err := d.start(program); err != nil {
		return nil, err
	}
	// On SIGTERM, Program ends the container or the machine that it has started, and then itself.
	process := d.cmd.Process
	stop := context.AfterFunc(ctx, func() { _ = process.Signal(syscall.SIGTERM) })
	defer stop()
	r.Deadline, _ = ctx.Deadline()
	a := &answer{}
	if err = json.NewEncoder(d.in).Encode(r); err == nil {
		err = d.out.Decode(a)
	}
	switch {
	case ctx.Err() != nil:
		return nil, errors.Join(fmt.Errorf("%w\n%s", ctx.Err(), a.Error), d.close())
	case err != nil:
		_ = d.close() // the error below has the reason
		return nil, fmt.Errorf("%s: %w\n%s", Program, err, strings.TrimSpace(d.stderr.String()))
	case a.Error != "":
		return nil, errors.New(a.Error)
	}
	return a.Result, nil
}

func (d *doer) start(program string) (err error) {
	if d.cmd != nil {
		return nil
	}
	cmd := exec.Command(program)
	if d.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	d.out = json.NewDecoder(out)
	d.stderr.Reset()
	cmd.Stderr = &d.stderr
	cmd.WaitDelay = stopTimeout
	if err := cmd.Start(); err != nil {
		return err
	}
	d.cmd = cmd
	return nil
}

// close ends the machine and Program, which are kept for the next request.
func (d *doer) close() error {
	err := d.here.close()
	if d.cmd == nil {
		return err
	}
	cmd := d.cmd
	d.cmd = nil
	_ = d.in.Close() // on which Program ends
	late := time.AfterFunc(3*stopTimeout, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	_ = cmd.Wait() // do has returned all errors
	return err
}

// server does what requests ask for in this process.
type server struct{ machine *vm }

func (s *server) do(ctx context.Context, r request) (*Result, error) {
	if !r.Deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, r.Deadline)
		defer cancel()
	}
	if !r.Machine {
		return container(ctx, r.Cache, r.Spec)
	}
	if s.machine == nil {
		s.machine = &vm{cache: r.Cache}
	}
	return s.machine.run(ctx, r.Spec)
}

func (s *server) close() error {
	if s.machine == nil {
		return nil
	}
	return s.machine.close()
}

// Serve does in this process what requests ask for, until in ends. It is all that Program does.
func Serve(ctx context.Context, in io.Reader, out io.Writer) (err error) {
	s := &server{}
	defer func() { err = errors.Join(err, s.close()) }()
	requests, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var r request
		if err := requests.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a request, which only package run sends: %w", err)
		}
		var a answer
		res, err := s.do(ctx, r)
		if a.Result = res; err != nil {
			a.Error = err.Error()
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}
