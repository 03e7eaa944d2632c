package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/frontend/dockerui"
	"github.com/moby/buildkit/frontend/gateway/client"
	"github.com/moby/buildkit/solver/pb"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/crosshull/crosshull/llb/dotnet"
)

// Local is a build context in a folder of the user's machine. BuildKit has only what is transferred of it.
type Local struct {
	gw      *Client
	name    string
	session llb.LocalOption
	exclude []string
	closed  *closed
}

// closed are the folders that the user cannot read, of one build.
type closed struct {
	mu      sync.Mutex
	folders []string
}

// Transfer says what of the context is sent.
type Transfer struct {
	// Name is what the log shows.
	Name string
	// Hint names the files that BuildKit keeps. The next transfer with this hint sends only what has changed.
	Hint string
	// Include and Exclude are patterns; without Include, all is sent. [ClientPattern] makes them of paths.
	Include, Exclude []string
}

// metadataFile is what BuildKit keeps the names of a context in (fsutil, receive.go). If the context has such a file,
// BuildKit confuses the contents of the files after it.
const metadataFile = ".fsutil-metadata"

// Local gives the build context if it is in a folder of the user's machine. It is nil if BuildKit fetches the context,
// or has it already. exclude are patterns that follow those of .dockerignore, so .dockerignore cannot bring back what
// they exclude.
func (c *Client) Local(ctx context.Context, exclude ...string) (*Local, error) {
	ignored, err := c.DockerIgnorePatterns(ctx)
	if err != nil {
		return nil, fmt.Errorf("read .dockerignore: %w", err)
	}
	const own = "crosshull" // only a context on the user's machine keeps this option
	st, err := c.MainContext(ctx, llb.SharedKeyHint(own))
	if err != nil {
		return nil, err
	}
	def, err := c.Marshal(ctx, *st)
	if err != nil || len(def.Def) == 0 {
		return nil, err
	}
	var op pb.Op
	if err := op.UnmarshalVT(def.Def[0]); err != nil {
		return nil, dotnet.Bug(fmt.Errorf("decode the context: %w", err))
	}
	attrs := op.GetSource().GetAttrs()
	name, ok := strings.CutPrefix(op.GetSource().GetIdentifier(), "local://")
	if !ok || attrs[pb.AttrSharedKeyHint] != own {
		return nil, nil
	}
	session := llb.SessionID(attrs[pb.AttrLocalSessionID])
	return &Local{c, name, session, slices.Concat(ignored, exclude, []string{metadataFile}), &c.closed}, nil
}

// All is the same folder, with what .dockerignore excludes.
func (l *Local) All() *Local {
	all := *l
	all.exclude = []string{metadataFile}
	return &all
}

// HasNames tells whether BuildKit can send the names of a context alone.
func (l *Local) HasNames() bool {
	caps := l.gw.Caps()
	return caps.Supports(pb.CapSourceMetadataTransfer) == nil
}

// State is what a transfer sends.
func (l *Local) State(t Transfer, opts ...llb.LocalOption) llb.State {
	exclude := slices.Concat(l.exclude, t.Exclude)
	for _, folder := range l.closed.all() {
		exclude = append(exclude, ClientPattern(folder))
	}
	return llb.Local(l.name, append(opts, l.session,
		// With hints of our own, BuildKit keeps our files of a folder apart from those of the Dockerfile frontend. Otherwise
		// each build with the other frontend would replace them.
		llb.SharedKeyHint(strings.TrimSuffix("crosshull:"+t.Hint, ":")),
		llb.IncludePatterns(t.Include),
		llb.ExcludePatterns(exclude),
		dockerui.WithInternalName(t.Name),
	)...)
}

// maxClosed is how many folders are left out before the build fails.
const maxClosed = 20

// Evaluate transfers what a state needs. It leaves out folders that the user cannot read, and tells closed about each
// once in a build. After each such folder, it calls st again.
func (l *Local) Evaluate(
	ctx context.Context, st func() llb.State, closed func(folder string),
) (client.Reference, error) {
	for n := 0; ; n++ {
		ref, err := l.gw.Evaluate(ctx, st())
		if err == nil {
			return ref, nil
		}
		folder := closedFolder(err)
		if folder != "" && n == maxClosed {
			return nil, Reword(err, fmt.Sprintf("there are more than %d folders that you may not read, such as %s: change "+
				"their permissions, or exclude them in .dockerignore", maxClosed, folder))
		}
		if folder == "" || !l.closed.add(folder) {
			return nil, err
		}
		closed(folder)
	}
}

// add gives false if the folder is left out already, which did not help.
func (c *closed) add(folder string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Contains(c.folders, folder) {
		return false
	}
	c.folders = append(c.folders, folder)
	return true
}

func (c *closed) all() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.folders)
}

// noAccess matches the error of a client on Unix, and on Windows.
var noAccess = regexp.MustCompile(
	`(?s)error from sender: (open|lstat|readlink) (.+): (?:permission denied|Access is denied\.)`)

// closedFolder is the folder that a transfer has failed at, because the user cannot read it; empty if err has another
// cause.
func closedFolder(err error) string {
	m := noAccess.FindStringSubmatch(err.Error())
	if m == nil {
		return ""
	}
	folder := path.Clean(strings.ReplaceAll(m[2], `\`, "/")) // of a client on Windows
	if m[1] != "open" {                                      // something in it
		folder = path.Dir(folder)
	}
	if folder == "." || path.IsAbs(folder) {
		return ""
	}
	return folder
}

// rangeSize is how much of the names is read at a time: a message of gRPC has 16 MiB at most.
const rangeSize = 8 << 20

// Names transfers the names of all that is in the context, without contents, and gives them in no order. Each is valid
// until visit returns. An error of visit ends it.
func (l *Local) Names(ctx context.Context, closed func(folder string), visit func(*fstypes.Stat) error) error {
	err := l.readNames(ctx, nameTransfer, closed, visit)
	if isBadName(err) {
		return l.badName(ctx, err)
	}
	return err
}

var nameTransfer = Transfer{Name: "load names of the build context", Hint: "names"}

func (l *Local) readNames(
	ctx context.Context, t Transfer, closed func(folder string), visit func(*fstypes.Stat) error,
) error {
	ref, err := l.Evaluate(ctx, func() llb.State { return l.State(t, llb.MetadataOnlyTransfer(nil)) }, closed)
	if err != nil {
		return err
	}
	var st fstypes.Stat
	var rest []byte
	for offset := 0; ; {
		req := client.ReadRequest{Filename: metadataFile, Range: &client.FileRange{Offset: offset, Length: rangeSize}}
		dt, err := ref.ReadFile(ctx, req)
		if err != nil {
			return fmt.Errorf("read the names of the context: %w", err)
		}
		offset += len(dt)
		last := len(dt) < rangeSize
		if rest, err = eachStat(append(rest, dt...), &st, visit); err != nil {
			return err
		}
		if last {
			break
		}
	}
	if len(rest) > 0 {
		return errors.New("read the names of the context: BuildKit sent only a part of the list: build again")
	}
	return nil
}

// eachStat visits the stats that are complete in dt, and gives what is left of it. Each has its length before it.
func eachStat(dt []byte, st *fstypes.Stat, visit func(*fstypes.Stat) error) ([]byte, error) {
	const head = 4
	for len(dt) >= head {
		size := binary.LittleEndian.Uint32(dt)
		if uint64(len(dt)-head) < uint64(size) {
			break
		}
		n := int(size)
		st.Reset()
		if err := st.UnmarshalVT(dt[head : head+n]); err != nil {
			return nil, fmt.Errorf("read the names of the context: %w", err)
		}
		if err := visit(st); err != nil {
			return nil, err
		}
		dt = dt[head+n:]
	}
	return dt, nil
}

// badNames match names that are not UTF-8: Go reads a byte that is part of no character as U+FFFD.
const badNames = "**/*\ufffd*"

// isBadName tells whether an error is about a name that is not UTF-8. The client's error contains that name, so gRPC
// cannot send it either, and gives this error.
func isBadName(err error) bool { return err != nil && strings.Contains(err.Error(), "invalid UTF-8") }

// badName is the error about the first name that is not UTF-8. BuildKit cannot give that name, so badName finds its
// folder: BuildKit gives all other names, and fails for a folder that has such a name.
func (l *Local) badName(ctx context.Context, err error) error {
	folders := map[string][]string{} // folders in a folder
	ignore := func(string) {}
	visit := func(stat *fstypes.Stat) error {
		if os.FileMode(stat.Mode).IsDir() {
			folders[path.Dir(stat.Path)] = append(folders[path.Dir(stat.Path)], strings.Clone(stat.Path))
		}
		return nil
	}
	t := nameTransfer
	t.Hint, t.Exclude = "other names", []string{badNames}
	if l.readNames(ctx, t, ignore, visit) != nil {
		return err
	}
	in := "."
	for {
		bad := func(folders []string) bool {
			t := nameTransfer
			t.Hint = "some names"
			for _, folder := range folders {
				t.Include = append(t.Include, ClientPattern(folder))
			}
			return len(folders) > 0 && isBadName(l.readNames(ctx, t, ignore, func(*fstypes.Stat) error { return nil }))
		}
		next := folders[in]
		slices.Sort(next)
		first := sort.Search(len(next), func(i int) bool { return bad(next[:i+1]) })
		if first == len(next) {
			break
		}
		in = next[first]
	}
	if in == "." {
		in = "the root of the context"
	}
	return Reword(err, fmt.Sprintf("a name in %s is not UTF-8, so BuildKit cannot send it: rename that file or folder "+
		"(ls -b shows it), or exclude it in .dockerignore", in))
}

// ClientPattern is a pattern for a client that matches a path of the context, and what is in it. Patterns travel in
// headers of gRPC, which take no control characters. If no pattern has special characters, the client does not look
// into other folders (fsutil, NewFilterFS).
func ClientPattern(p string) string {
	const control = "\uffff"
	special := func(r rune) bool { return strings.ContainsRune(`*?[]\^`, r) || r < ' ' || r == 0x7f }
	if !strings.ContainsFunc(p, special) && !strings.HasPrefix(p, "!") && strings.TrimSpace(p) == p {
		return p
	}
	p = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return []rune(control)[0]
		}
		return r
	}, p)
	return strings.ReplaceAll(dotnet.Escape(p), control, "?")
}
