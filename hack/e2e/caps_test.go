package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/solver/pb"
	"github.com/moby/buildkit/util/apicaps"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Where BuildKit cannot merge, layers are copied onto the base. The image has as many, and starts the same program. An
// engine without the containerd image store is such a BuildKit: nothing is asked of it that it shows in red.
func TestWithoutMerge(t *testing.T) {
	t.Parallel()
	dir := shared(t, "dotnetapp")
	merged, copied := repository(t), repository(t)
	mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(merged))
	rec := mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(copied), without(pb.CapMergeOp))
	if all := append(rec.ran, rec.cached...); !slices.Contains(all, "[image linux/arm64] copy app onto base") {
		t.Errorf("no copy: %q", all)
	}
	for _, source := range rec.sources {
		if !strings.HasPrefix(source.Identifier, "docker-image://") && !strings.HasPrefix(source.Identifier, "local://") {
			t.Errorf("source %s", source.Identifier)
		}
	}
	if len(rec.failed)+len(rec.warnings) > 0 {
		t.Errorf("failed %q, warnings %q", rec.failed, rec.warnings)
	}
	_, want := index(t, merged)
	_, got := index(t, copied)
	for p := range want {
		if len(got[p].Layers) != len(want[p].Layers) ||
			got[p].Config.Config.Entrypoint[1] != want[p].Config.Config.Entrypoint[1] {
			t.Errorf("%s: %d layers and entrypoint %q, want %d and %q", p,
				len(got[p].Layers), got[p].Config.Config.Entrypoint, len(want[p].Layers), want[p].Config.Config.Entrypoint)
		}
	}
}

// Where BuildKit cannot tell what a step added, nothing is compiled apart, and the app is the same.
func TestWithoutDiff(t *testing.T) {
	t.Parallel()
	dir := chain(t)
	apart, whole := repository(t), repository(t)
	opts := []option{attr("target", "one"), platform("linux/amd64,linux/arm64")}
	mustSolve(t, dir, append(opts, pushTo(apart))...)
	rec := mustSolve(t, dir, append(opts, pushTo(whole), without(pb.CapDiffOp))...)
	if rec.count("[publish] dotnet build") != 0 || rec.count("[publish] dotnet publish") != 1 {
		t.Errorf("ran %q", rec.ran)
	}
	_, want := index(t, apart)
	_, got := index(t, whole)
	for p := range want {
		if want, got := want[p].appLayer().Digest, got[p].appLayer().Digest; got != want {
			t.Errorf("%s: the layer of the app is %s, want %s", p, got, want)
		}
	}
}

// Where BuildKit cannot read the index of a base, an image does not say which manifest it is from, and is the same
// otherwise.
func TestWithoutBlobs(t *testing.T) {
	t.Parallel()
	dir := shared(t, "dotnetapp")
	known, unknown := repository(t), repository(t)
	mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(known))
	mustSolve(t, dir, platform("linux/amd64,linux/arm64"), pushTo(unknown), without(pb.CapSourceImageBlob))
	_, want := index(t, known)
	_, got := index(t, unknown)
	for p := range want {
		if want[p].Config.Config.Labels[ocispecs.AnnotationBaseImageDigest] == "" {
			t.Errorf("%s: no digest of the base in %v", p, want[p].Config.Config.Labels)
		}
		if d, ok := got[p].Config.Config.Labels[ocispecs.AnnotationBaseImageDigest]; ok {
			t.Errorf("%s: %q is the digest of the base", p, d)
		}
		const name = ocispecs.AnnotationBaseImageName
		if want, got := want[p].Config.Config.Labels[name], got[p].Config.Config.Labels[name]; got != want {
			t.Errorf("%s: %q is the name of the base, want %q", p, got, want)
		}
		if got[p].appLayer().Digest != want[p].appLayer().Digest {
			t.Errorf("%s: another layer of the app", p)
		}
	}
}

// What a BuildKit cannot do, and is asked for, is an error before anything runs.
func TestTooOld(t *testing.T) {
	t.Parallel()
	dir := shared(t, "dotnetapp")
	for _, tc := range []struct {
		missing apicaps.CapID
		spec    string
		opts    []option
		want    string
	}{
		{pb.CapFileCopyIncludeExcludePatterns, "", nil, "copy single files"},
		{pb.CapExecMetaUlimit, "", []option{attr("ulimit", "nofile=1000:2000")}, "--ulimit"},
		{pb.CapExecMountTmpfsSize, "", []option{attr("shm-size", "100663296")}, "--shm-size"},
		{pb.CapExecMetaCgroupParent, "", []option{attr("cgroup-parent", "x")}, "--cgroup-parent"},
		{pb.CapExecMetaLinuxResources, "", []option{attr("memory", "3221225472")}, "--resource"},
		{pb.CapExecSecretEnv, "publish: {secrets: {TOKEN: token}}\n", nil, "secrets to steps as variables"},
	} {
		t.Run(string(tc.missing), func(t *testing.T) {
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n"+tc.spec)
			rec, err := solve(t, dir, append(tc.opts, without(tc.missing))...)
			if err == nil || !strings.Contains(err.Error(), "this BuildKit is too old to") ||
				!strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v", err)
			}
			if len(rec.execs) > 0 {
				t.Errorf("%d steps were asked for", len(rec.execs))
			}
			if len(tc.opts) == 0 && tc.spec == "" {
				return
			}
			write(t, dir, "crosshull.yaml", "# syntax=ghcr.io/crosshull/crosshull:1\n")
			if rec, err := solve(t, dir, without(tc.missing)); err != nil { // nobody asks for it
				t.Errorf("%v\n%s", err, rec.log)
			}
		})
	}
}
