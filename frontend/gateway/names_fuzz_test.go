package gateway

import (
	"encoding/binary"
	"testing"

	fstypes "github.com/tonistiigi/fsutil/types"
)

// FuzzNames reads the names of a context as BuildKit keeps them. What is left over is the end of what was given.
func FuzzNames(f *testing.F) {
	stat := fstypes.Stat{Path: "a/b", Mode: 0o644, Size: 7, Linkname: "c"}
	dt, err := stat.MarshalVT()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(append(binary.LittleEndian.AppendUint32(nil, uint32(len(dt))), dt...))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0})
	f.Fuzz(func(t *testing.T, dt []byte) {
		names := 0
		var st fstypes.Stat
		rest, err := eachStat(dt, &st, func(*fstypes.Stat) error { names++; return nil })
		if err == nil && (len(rest) > len(dt) || string(rest) != string(dt[len(dt)-len(rest):]) || 4*names > len(dt)) {
			t.Errorf("%d names in %d bytes, and %d are left", names, len(dt), len(rest))
		}
	})
}
