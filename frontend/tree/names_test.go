package tree

import (
	"context"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/gateway/client"
	fstypes "github.com/tonistiigi/fsutil/types"
)

// wide is a snapshot with many files in one folder.
type wide struct {
	client.Reference
	files int
}

func (w wide) ReadDir(context.Context, client.ReadDirRequest) ([]*fstypes.Stat, error) {
	stats := make([]*fstypes.Stat, w.files)
	for i := range stats {
		stats[i] = &fstypes.Stat{Path: "f", Mode: 0o644}
	}
	return stats, nil
}

// A context with too many names is an error that says how many there may be, before more memory is taken.
func TestMostNames(t *testing.T) {
	t.Parallel()
	for files, want := range map[int]string{
		maxNames:     "",
		maxNames + 1: "more than 2000000 files and folders: exclude what no project needs in .dockerignore",
	} {
		_, err := snapshot{ref: wide{files: files}}.names(t.Context())
		if got := err != nil && strings.Contains(err.Error(), want); got != (want != "") {
			t.Errorf("%d files: %v", files, err)
		}
	}
}
