package llb

import (
	"context"

	"github.com/containerd/platforms"
	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/solver/pb"
	ocispecs "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/crosshull/crosshull/llb/apt"
	"github.com/crosshull/crosshull/llb/dotnet"
)

// Installation is a base image for a platform, and the packages to install on it.
type Installation struct {
	State    llb.State
	Platform ocispecs.Platform
	Packages apt.Packages
	// NativeToo tells whether the image for the build platform gets the same packages.
	NativeToo bool
}

// Packaged is a base with its packages.
type Packaged struct {
	// State is the base and one more layer.
	State llb.State
	// List has [apt.ListFile].
	List llb.State
}

// InstallPackages installs the packages of a base. native is the same base for the build platform: all steps run in it,
// and in no other image. If target is native, the packages are installed there with their scripts. If not, native gets
// the same packages, and target gets what their scripts did to it. All targets with equal packages share these steps.
func (b *Steps) InstallPackages(
	ctx context.Context, native llb.State, build ocispecs.Platform, target Installation,
) (Packaged, error) {
	root, _, err := b.SDK.GetEnv(ctx, "DOTNET_ROOT")
	if err != nil {
		return Packaged{}, err
	}
	program, err := b.program(PhasePackages, apt.Program, "the program that installs packages")
	if err != nil {
		return Packaged{}, err
	}
	i := &installing{b, native, build, target.Packages, program, root}
	if SamePlatform(target.Platform, build) {
		state, err := i.resolve(native, build, false)
		if err != nil {
			return Packaged{}, err
		}
		installed, err := i.install(state, false)
		return Packaged{installed, state}, err
	}
	state, err := i.resolve(target.State, target.Platform, false)
	if err != nil {
		return Packaged{}, err
	}
	applied, err := i.apply(target, state)
	return Packaged{applied, state}, err
}

// SamePlatform tells whether two platforms are the same, however they are written.
func SamePlatform(a, b ocispecs.Platform) bool {
	return platforms.FormatAll(platforms.Normalize(a)) == platforms.FormatAll(platforms.Normalize(b))
}

// installing makes the steps of an installation.
type installing struct {
	*Steps
	native   llb.State
	build    ocispecs.Platform
	packages apt.Packages
	program  llb.State
	root     string // of .NET in the image of the SDK
}

// resolve downloads the archives for a base.
func (i *installing) resolve(base llb.State, p ocispecs.Platform, twin bool) (llb.State, error) {
	opts := []llb.RunOption{reads(apt.TargetDir, base, i.byDigest()...)}
	if keys := KeyReads(i.packages); len(keys.Include) > 0 {
		opts = append(opts, reads(apt.KeysDir,
			i.copyContext(PhasePackages, i.part(KeyPart, keys), llb.Scratch(), KeyPart, keys)))
	}
	run, err := i.run(apt.Resolve, "apt-get download", p, twin, opts...)
	if err != nil {
		return llb.State{}, err
	}
	return run.AddMount(apt.StateDir, llb.Scratch()), nil
}

// install installs on the native base.
func (i *installing) install(state llb.State, twin bool) (llb.State, error) {
	run, err := i.run(apt.Install, "apt-get install", i.build, twin, offline(),
		reads(apt.StateDir, state), reads(apt.PristineDir, i.native, i.byDigest()...))
	if err != nil {
		return llb.State{}, err
	}
	return run.Root(), nil
}

// apply installs on the base of another platform.
func (i *installing) apply(target Installation, state llb.State) (llb.State, error) {
	twinState, err := i.resolve(i.native, i.build, !target.NativeToo)
	if err != nil {
		return llb.State{}, err
	}
	twin, err := i.install(twinState, !target.NativeToo)
	if err != nil {
		return llb.State{}, err
	}
	mounts := []llb.RunOption{
		offline(), reads(apt.PristineDir, i.native, i.byDigest()...), reads(apt.InstalledDir, twin),
	}
	unpack, err := i.run(apt.Unpack, "to compare: dpkg --unpack", i.build, true,
		append(mounts, reads(apt.StateDir, twinState))...)
	if err != nil {
		return llb.State{}, err
	}
	unpacked := unpack.AddMount(apt.TargetDir, i.native, i.byDigest()...)
	apply, err := i.run(apt.Apply, "dpkg --unpack", target.Platform, false,
		append(mounts, reads(apt.StateDir, state), reads(apt.UnpackedDir, unpacked))...)
	if err != nil {
		return llb.State{}, err
	}
	return apply.AddMount(apt.TargetDir, target.State, i.byDigest()...), nil
}

// byDigest is for mounts of bases. By default, BuildKit may take the result of a step on a base with the same files but
// with other layers or times (getMountDeps of its ExecOp). The image would then have the layers of one base and the
// labels of the other. And apt has to look again if the base is another one.
func (i *installing) byDigest() []llb.MountOption {
	if i.Caps.Supports(pb.CapExecMountContentCache) != nil {
		return nil
	}
	return []llb.MountOption{llb.ContentCache(llb.MountContentCacheOff)}
}

// offline is for steps that have all they need.
func offline() llb.RunOption { return llb.Network(llb.NetModeNone) }

// run runs a command of the program in the native base, for a platform.
func (i *installing) run(
	command, what string, p ocispecs.Platform, twin bool, opts ...llb.RunOption,
) (llb.ExecState, error) {
	request, err := i.packages.Request(DiagnosticsDir, fileTime, twin)
	if err != nil {
		return llb.ExecState{}, err
	}
	prefix := "[" + PhasePackages + " " + platforms.Format(platforms.Normalize(p)) + "] "
	all := append([]llb.RunOption{
		llb.Args(apt.Args(command, i.root)),
		llb.Dir("/"),
		llb.User("0:0"),
		llb.WithCustomName(prefix + what + " " + some(i.packages.Install)),
	}, i.Exec(PhasePackages)...)
	run := i.native.Run(append(append(all,
		reads(apt.SDKDir, i.SDK),
		reads(apt.ProgramDir, i.program),
		reads(apt.RequestDir, made([]dotnet.File{request}, i.named(PhasePackages, "what to install")...)),
	), opts...)...)
	run.AddMount(DiagnosticsDir, llb.Scratch())
	return run, nil
}

// KeyPart is the name of the part of the context with the keys of package sources.
const KeyPart = "keys of package sources"

// KeyReads are the keys of package sources in the context.
func KeyReads(packages apt.Packages) Reads {
	var reads Reads
	for _, s := range packages.Sources {
		if s.Key != "" {
			reads.Include = append(reads.Include, dotnet.Escape(s.Key))
		}
	}
	return reads
}
