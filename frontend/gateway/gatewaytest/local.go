package gatewaytest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing/fstest"
	"unicode/utf8"

	"github.com/moby/buildkit/solver/pb"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// Transfer is what a client sent of a folder.
type Transfer struct {
	Hint                        string
	Include, Exclude, Following []string
	NamesOnly                   bool
	Files                       fstest.MapFS
}

// Transfers are what the client has sent so far, each once.
func (c *Client) Transfers() []Transfer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.transfers)
}

// transferOnce gives what a source vertex has, which BuildKit transfers once in a build.
func (c *Client) transferOnce(ctx context.Context, v vertex, files fstest.MapFS) (fstest.MapFS, error) {
	c.mu.Lock()
	sent, ok := c.sent[v]
	c.mu.Unlock()
	if ok {
		return sent, nil
	}
	var attrs map[string]string
	if err := json.Unmarshal([]byte(v.attrs), &attrs); err != nil {
		return nil, err
	}
	sent, err := c.transfer(ctx, files, attrs)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sent == nil {
		c.sent = map[vertex]fstest.MapFS{}
	}
	c.sent[v] = sent
	return sent, nil
}

// transfer sends files of a folder as a client does, with its own filter (fsutil), and gives what BuildKit keeps.
func (c *Client) transfer(ctx context.Context, files fstest.MapFS, attrs map[string]string) (fstest.MapFS, error) {
	t := Transfer{Hint: attrs[pb.AttrSharedKeyHint], NamesOnly: attrs[pb.AttrMetadataTransfer] == "true"}
	for attr, into := range map[string]*[]string{
		pb.AttrIncludePatterns: &t.Include, pb.AttrExcludePatterns: &t.Exclude, pb.AttrFollowPaths: &t.Following,
	} {
		if v := attrs[attr]; v != "" {
			if err := json.Unmarshal([]byte(v), into); err != nil {
				return nil, err
			}
		}
	}
	from, err := fsutil.NewFilterFS(&clientFolder{files, c.Closed}, &fsutil.FilterOpt{
		IncludePatterns: t.Include, ExcludePatterns: t.Exclude, FollowPaths: t.Following,
	})
	if err != nil {
		return nil, err
	}
	var names bytes.Buffer
	sent := fstest.MapFS{}
	err = from.Walk(ctx, "/", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		stat := info.Sys().(*fstypes.Stat)
		if !utf8.ValidString(name) {
			return errors.New("grpc: error while marshaling: string field contains invalid UTF-8")
		}
		dt, err := stat.MarshalVT()
		if err != nil {
			return err
		}
		names.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(dt))))
		names.Write(dt)
		sent[name] = &fstest.MapFile{Mode: fs.FileMode(stat.Mode), Data: []byte(stat.Linkname)}
		if !info.Mode().IsRegular() {
			return nil
		}
		if f, err := from.Open(name); err == nil { // what cannot be read arrives empty (fsutil, sender.sendFile)
			sent[name].Data, _ = io.ReadAll(f)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("error from sender: %w", err)
	}
	if t.NamesOnly {
		sent = fstest.MapFS{".fsutil-metadata": {Data: names.Bytes()}}
	}
	t.Files = sent
	c.mu.Lock()
	defer c.mu.Unlock()
	c.transfers = append(c.transfers, t)
	return sent, nil
}

// clientFolder is a folder on the machine of a client, who cannot read what is closed.
type clientFolder struct {
	files  fstest.MapFS
	closed []string
}

func (f *clientFolder) denied(name string) error {
	if !slices.Contains(f.closed, name) {
		return nil
	}
	return &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

func (f *clientFolder) Open(name string) (io.ReadCloser, error) {
	if err := f.denied(name); err != nil {
		return nil, err
	}
	return f.files.Open(name)
}

// Walk visits what is at a path, and all below it, in the order of a file system.
func (f *clientFolder) Walk(_ context.Context, target string, visit fs.WalkDirFunc) error {
	target = clean(target)
	entries, err := f.files.ReadDir(path.Dir(target))
	if target == "." {
		return f.walk(target, visit)
	}
	i := slices.IndexFunc(entries, func(entry fs.DirEntry) bool { return entry.Name() == path.Base(target) })
	if i < 0 {
		err = cmp.Or(err, fs.ErrNotExist)
		return visit(target, nil, &fs.PathError{Op: "lstat", Path: target, Err: err})
	}
	if err = f.visit(target, entries[i], visit); errors.Is(err, fs.SkipDir) {
		return nil
	}
	return err
}

// walk visits what is in a folder.
func (f *clientFolder) walk(dir string, visit fs.WalkDirFunc) error {
	entries, err := f.files.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := f.visit(path.Join(dir, entry.Name()), entry, visit); err != nil {
			if errors.Is(err, fs.SkipDir) {
				return nil
			}
			return err
		}
	}
	return nil
}

// visit visits a file or a folder, and what is in it. It gives [fs.SkipDir] where the rest of the folder that it is in
// is to be skipped.
func (f *clientFolder) visit(name string, entry fs.DirEntry, visit fs.WalkDirFunc) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	stat := folder{files: f.files}.stat(name, info)
	stat.Path = name
	found := &fsutil.DirEntryInfo{Stat: stat}
	err = visit(name, found, nil)
	if !info.IsDir() {
		return err
	}
	if err == nil {
		if err = f.denied(name); err != nil {
			err = visit(name, found, err)
		} else {
			err = f.walk(name, visit)
		}
	}
	if errors.Is(err, fs.SkipDir) {
		return nil
	}
	return err
}

// isLocal tells whether a vertex is a folder of the client.
func (v vertex) isLocal() bool { return strings.HasPrefix(v.name, "local://") }
