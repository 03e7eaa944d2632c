package gateway

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	fstypes "github.com/tonistiigi/fsutil/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// Marshal gives the graph of a state, for this BuildKit and its build platform.
func (c *Client) Marshal(ctx context.Context, st llb.State) (*llb.Definition, error) {
	// One after the other: states share vertices, and an exec sorts its mounts in place as it is marshaled (client/llb,
	// ExecOp.Inputs).
	c.marshaling.Lock()
	defer c.marshaling.Unlock()
	def, err := st.Marshal(ctx, llb.WithCaps(c.Caps()), llb.Platform(c.BuildPlatform()))
	if err != nil {
		return nil, fmt.Errorf("marshal LLB: %w", err)
	}
	return def, nil
}

// Solve gives the result of a state. Its steps run later, when somebody reads the result. If a step may fail, only the
// exporter may be the first to read it; for other uses see [Client.Evaluate].
func (c *Client) Solve(ctx context.Context, st llb.State) (client.Reference, error) {
	return c.solve(ctx, st, false)
}

// Evaluate is Solve that runs the steps before it returns, and so returns their errors.
func (c *Client) Evaluate(ctx context.Context, st llb.State) (client.Reference, error) {
	return c.solve(ctx, st, true)
}

func (c *Client) solve(ctx context.Context, st llb.State, evaluate bool) (client.Reference, error) {
	def, err := c.Marshal(ctx, st)
	if err != nil {
		return nil, err
	}
	// The gateway does not add the caches to import from by itself.
	req := client.SolveRequest{Definition: def.ToPB(), Evaluate: evaluate, CacheImports: c.CacheImports}
	c.solves.begin()
	res, err := c.gw.Solve(ctx, req)
	if err != nil {
		err = &unmade{err, req}
	}
	if err = c.solves.end(ctx, err); err != nil {
		return nil, err
	}
	return res.SingleRef()
}

// unmade is the error of a solve, with its request.
type unmade struct {
	error
	req client.SolveRequest
}

func (e *unmade) Unwrap() error { return e.error }

// argDebug is the build argument that makes a failed build return a result that debuggers can open, not an error.
const argDebug = "CROSSHULL_DEBUG"

// Debug tells whether the user has set [argDebug].
func (c *Client) Debug() bool {
	debug, err := strconv.ParseBool(c.BuildArgs[argDebug])
	return err == nil && debug
}

// Unmade turns the error of a failed step into a result. When somebody reads that result, it gives the error of the
// step again, without running the step again. Buildx's debuggers need this: they open results, and never see the error
// of a frontend. But the user then sees BuildKit's text. So Unmade gives nil if err has a better text, unless the user
// has set [argDebug].
func (c *Client) Unmade(ctx context.Context, err error) *client.Result {
	var step *unmade
	if failedExec(err) == nil || !errors.As(err, &step) {
		return nil
	}
	var better *worded
	if errors.As(err, &better) && !c.Debug() {
		return nil
	}
	req := step.req
	req.Evaluate = false
	res, err := c.gw.Solve(ctx, req)
	if err != nil {
		return nil
	}
	return res
}

// File is a file of a result.
type File struct {
	Ref  client.Reference
	Data []byte
}

// ReadFile evaluates a state, and reads a file in its root.
func (c *Client) ReadFile(ctx context.Context, st llb.State, name string) (File, error) {
	ref, err := c.Evaluate(ctx, st)
	if err != nil {
		return File{}, err
	}
	dt, err := ReadRef(ctx, ref, name)
	return File{ref, dt}, err
}

// ReadRef reads a file of a result. A nil result is an empty one: BuildKit gives that for a folder without files.
func ReadRef(ctx context.Context, ref client.Reference, name string) ([]byte, error) {
	if ref == nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrNotExist}
	}
	return ref.ReadFile(ctx, client.ReadRequest{Filename: name})
}

// IsNotFound tells an error about a file that does not exist.
func IsNotFound(err error) bool {
	if errors.Is(err, os.ErrNotExist) || status.Code(err) == codes.NotFound {
		return true
	}
	// The gateway gives text only (frontend/gateway, ReadFile).
	return err != nil && strings.Contains(err.Error(), "no such file or directory")
}

// HasModes tells whether somebody chose the modes of the files of a state. The modes of files on the user's machine
// depend on its umask, and a file of an address has none.
func (c *Client) HasModes(ctx context.Context, st llb.State) (bool, error) {
	def, err := c.Marshal(ctx, st)
	if err != nil || len(def.Def) < 2 {
		return false, err
	}
	var op pb.Op // the last one only names the result
	if err := op.UnmarshalVT(def.Def[len(def.Def)-2]); err != nil {
		return false, dotnet.Bug(fmt.Errorf("decode a context: %w", err))
	}
	scheme, _, _ := strings.Cut(op.GetSource().GetIdentifier(), "://")
	return !slices.Contains([]string{"local", "http", "https"}, scheme), nil
}

// GitSource finds the git repository that a state comes from, and what BuildKit says of its commit. Both are nil if it
// does not come from git.
func (c *Client) GitSource(ctx context.Context, st llb.State) (*pb.SourceOp, *sourceresolver.MetaResponse, error) {
	def, err := c.Marshal(ctx, st)
	if err != nil {
		return nil, nil, err
	}
	for _, dt := range def.Def {
		var op pb.Op
		if err := op.UnmarshalVT(dt); err != nil {
			return nil, nil, dotnet.Bug(fmt.Errorf("decode the context: %w", err))
		}
		src := op.GetSource()
		if !strings.HasPrefix(src.GetIdentifier(), "git://") {
			continue
		}
		opt := sourceresolver.Opt{LogName: "[internal] resolve the commit of the context"}
		md, err := c.gw.ResolveSourceMetadata(ctx, src, opt)
		return src, md, err
	}
	return nil, nil, nil
}

// Lstat tells what is at a path of a result; nil: nothing. It reads the folder of the path, because the gateway's
// StatFile would follow a link.
func Lstat(ref client.Reference) func(ctx context.Context, name string) (*fstypes.Stat, error) {
	return func(ctx context.Context, name string) (*fstypes.Stat, error) {
		req := client.ReadDirRequest{Path: path.Dir(name)}
		if plainName.MatchString(path.Base(name)) {
			req.IncludePattern = path.Base(name)
		}
		found, err := ref.ReadDir(ctx, req)
		if err != nil && !IsNotFound(err) {
			return nil, err
		}
		for _, st := range found {
			if st.Path == path.Base(name) {
				return st, nil
			}
		}
		return nil, nil
	}
}

// plainName matches a name without pattern characters, which as a pattern matches only itself.
var plainName = regexp.MustCompile(`^[\w.@+-]+$`)

// ReadDir visits what is in a folder of ref. If that is too much for a message of BuildKit, ReadDir asks for it by
// parts: names that begin with some characters.
func ReadDir(ctx context.Context, ref client.Reference, dir string, visit func(*fstypes.Stat)) error {
	read := func(pattern string) error {
		found, err := ref.ReadDir(ctx, client.ReadDirRequest{Path: dir, IncludePattern: pattern})
		for _, stat := range found {
			visit(stat)
		}
		return err
	}
	var part func(prefix string, first, last rune) error
	part = func(prefix string, first, last rune) error {
		err := read(dotnet.Escape(prefix) + class(first, last) + "*")
		if !tooLarge(err) {
			return err
		}
		if first < last {
			middle := first + (last-first)/2
			next := middle + 1
			if !utf8.ValidRune(middle) || !utf8.ValidRune(next) { // halves of characters in UTF-16, which no name has
				middle, next = 0xd7ff, 0xe000
			}
			if err := part(prefix, first, middle); err != nil {
				return err
			}
			return part(prefix, next, last)
		}
		prefix += string(first)
		if err := read(dotnet.Escape(prefix)); err != nil { // also if one name is too much: then there is no smaller part
			return err
		}
		return part(prefix, 1, unicode.MaxRune)
	}
	err := read("")
	if !tooLarge(err) {
		return err
	}
	if err := part("", 1, unicode.MaxASCII); err != nil { // nearly all names begin in ASCII
		return err
	}
	return part("", unicode.MaxASCII+1, unicode.MaxRune)
}

// tooLarge tells whether an answer of BuildKit did not fit into a message of gRPC.
func tooLarge(err error) bool {
	return err != nil && strings.Contains(err.Error(), "message larger than max")
}

// class is a pattern that matches a character from first to last.
func class(first, last rune) string {
	bound := func(r rune) string {
		if strings.ContainsRune(`\]^-[`, r) {
			return `\` + string(r)
		}
		return string(r)
	}
	return "[" + bound(first) + "-" + bound(last) + "]"
}

// walkers is how many folders are read at a time. Each is a request to BuildKit, and waiting takes longer than reading.
const walkers = 16

// Walk visits everything below a folder of ref. It calls visit concurrently and in no order. It leaves out what is in a
// folder for which visit gives [fs.SkipDir].
func Walk(
	ctx context.Context, ref client.Reference, root string, visit func(name string, stat *fstypes.Stat) error,
) error {
	eg, ctx := Group(ctx)
	eg.SetLimit(walkers)
	var folder func(dir string) error
	folder = func(dir string) error {
		var entries []*fstypes.Stat
		err := ReadDir(ctx, ref, dir, func(stat *fstypes.Stat) { entries = append(entries, stat) })
		if err != nil {
			return err
		}
		for _, entry := range entries {
			name := path.Join(dir, path.Base(entry.Path))
			err := visit(name, entry)
			if errors.Is(err, fs.SkipDir) {
				continue
			}
			if err != nil {
				return err
			}
			if !os.FileMode(entry.Mode).IsDir() || eg.TryGo(func() error { return folder(name) }) {
				continue
			}
			if err := folder(name); err != nil { // all are busy
				return err
			}
		}
		return nil
	}
	eg.Go(func() error { return folder(root) })
	return eg.Wait()
}
