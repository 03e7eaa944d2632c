package request

import (
	"slices"
	"strings"
)

// Who does what an option asks for.
const (
	ByCrosshull = "crosshull"
	ByBuildKit  = "BuildKit"
	ByBuildx    = "buildx"
)

// Option is something that a user can ask of a build, and what becomes of it.
type Option struct {
	// Name is what the user writes: a flag of `docker buildx build`, or a build argument that BuildKit gives a meaning.
	Name string
	// Field is the one of [dockerui.Config] that it ends up in; empty where it does not reach the frontend by that.
	Field string
	// By does it: ByCrosshull, or who does it without the frontend.
	By string
	// Does says what is done, for the documentation.
	Does string
}

// Options are all that there are. A test holds them against dockerui.Config, another against buildx, and a third
// against docs/compatibility.md.
var Options = []Option{
	{"--add-host", "ExtraHosts", ByCrosshull, "in every step that executes something"},
	{"--allow", "", ByBuildKit, "the steps need no entitlement; `--network host` wants `network.host`"},
	{
		"--annotation",
		"",
		ByBuildKit,
		"wins over crosshull's, but for keys that manifests or, with `image.annotate-index`, the index get from " +
			"crosshull or the spec: see [labels](labels.md#annotations)",
	},
	{"--attest", "SBOM", ByCrosshull, "`type=sbom`: see `--sbom`; `type=provenance`: see `--provenance`"},
	{
		"--build-arg",
		"BuildArgs",
		ByCrosshull,
		"those that the spec declares in `args`, where it has `${NAME}`; proxies, in every step that executes something; " +
			"any other is warned of",
	},
	{
		"--build-context",
		"",
		ByCrosshull,
		"replaces the base, the SDK, the toolchain and the frontend by the name of the image, and gives `files` a place " +
			"to come from",
	},
	{"--builder", "", ByBuildx, "any that has BuildKit; several nodes make the same images as one"},
	{"--cache-from", "CacheImports", ByCrosshull, "with every solve"},
	{
		"--cache-to",
		"",
		ByBuildKit,
		"`mode=max` exports packages, what has been compiled apart and published files, and no SDK",
	},
	{
		"--call",
		"",
		ByCrosshull,
		"`check`, `outline`, `targets`, `subrequests.describe`, `convertllb`, and calls of crosshull's own",
	},
	{"--cgroup-parent", "CgroupParent", ByCrosshull, "for every step that executes something"},
	{
		"--check",
		"LinterConfig",
		ByCrosshull,
		"rules for specs and .NET projects; `# check=skip=…` and `BUILDKIT_DOCKERFILE_CHECK` choose among them",
	},
	{"--debug", "", ByBuildx, "shows the whole of warnings and errors"},
	{"--file", "", ByCrosshull, "the spec; without it `crosshull.yaml` where `BUILDKIT_SYNTAX` names the frontend"},
	{"--iidfile", "", ByBuildx, "the digest of the image or the index"},
	{"--label", "Labels", ByCrosshull, "on every image, over [all other labels](labels.md)"},
	{"--load", "", ByBuildKit, "one platform, or several where the engine has the containerd image store"},
	{"--metadata-file", "", ByCrosshull, "has `frontend.crosshull.report`: what was built, out of what"},
	{
		"--network",
		"NetworkMode",
		ByCrosshull,
		"for every step that executes something; without a network restore fails, and what is cached does not",
	},
	{"--no-cache", "", ByCrosshull, "for every step, and what the compiler keeps"},
	{"--no-cache-filter", "", ByCrosshull, "by phase: `describe`, `restore`, `publish`, `test`, `image`"},
	{
		"--output",
		"",
		ByBuildKit,
		"`registry`, `image`, `oci`, `docker`, `local`, `tar`; targets `publish`, `sbom` and `test` are for `local` and " +
			"`tar`",
	},
	{"--platform", "TargetPlatforms", ByCrosshull, "one image each; without it, that of the builder"},
	{"--policy", "", ByBuildx, "holds for every image that is resolved"},
	{
		"--progress",
		"",
		ByBuildx,
		"the names of steps begin with their phase; what compiles a group of libraries is one line",
	},
	{"--provenance", "", ByBuildKit, "`mode=max` maps every step to a line of the spec"},
	{"--pull", "ImageResolveMode", ByCrosshull, "for base, SDK and toolchain"},
	{"--push", "", ByBuildKit, "layers of the base are not pulled for it"},
	{"--quiet", "", ByBuildx, "shows the digest alone"},
	{"--resource", "LinuxResources", ByCrosshull, "for every step that executes something"},
	{"--sbom", "SBOM", ByCrosshull, "the packages of NuGet's graph, beside what the scanner finds in the image"},
	{"--secret", "", ByCrosshull, "those that `nuget`, `publish.secrets` and `tests.secrets` name, in those steps alone"},
	{"--shm-size", "ShmSize", ByCrosshull, "for every step that executes something"},
	{"--ssh", "", ByCrosshull, "those that `publish.ssh` names, in those steps alone"},
	{"--tag", "", ByBuildKit, "the name of the image"},
	{"--target", "Target", ByCrosshull, "see `--call=targets`"},
	{"--ulimit", "Ulimits", ByCrosshull, "for every step that executes something"},

	{"BUILDKIT_BUILD_NAME", "", ByBuildx, "names the build in its history"},
	{
		"BUILDKIT_CACHE_MOUNT_NS",
		"CacheIDNamespace",
		ByCrosshull,
		"parts what the compiler keeps from that of other builds",
	},
	{"BUILDKIT_CONTEXT_KEEP_GIT_DIR", "", ByCrosshull, "keeps `.git` in the context, of local contexts too"},
	{"BUILDKIT_DOCKERFILE_CHECK", "LinterConfig", ByCrosshull, "as `# check=`, and over it"},
	{"BUILDKIT_GIT_ADVICE", "GitAdvice", ByBuildKit, "for git contexts"},
	{"BUILDKIT_INLINE_CACHE", "", ByBuildKit, "exports the cache with the image"},
	{"BUILDKIT_MULTI_PLATFORM", "MultiPlatformRequested", ByCrosshull, "an index, for one platform too"},
	{"BUILDKIT_SANDBOX_HOSTNAME", "Hostname", ByCrosshull, "in every step that executes something"},
	{"BUILDKIT_SBOM_SCAN_CONTEXT", "", ByCrosshull, "scans the context too"},
	{"BUILDKIT_SBOM_SCAN_STAGE", "", ByCrosshull, "scans the packages that were restored too"},
	{"BUILDKIT_SYNTAX", "", ByBuildx, "names the frontend, whatever the file says"},
	{
		"CROSSHULL_DEBUG",
		"",
		ByCrosshull,
		"`true` gives a failed step to `docker buildx debug` and `dap`, which see no error of a frontend; the message is " +
			"BuildKit's, then",
	},
	{"CROSSHULL_SUMMARY", "", ByCrosshull, "`false` leaves the summary of the build out of its progress"},
	{
		"SOURCE_DATE_EPOCH",
		"",
		ByCrosshull,
		"the time of labels and annotations, and of the image: seconds since 1970, or `context` for the commit of a git " +
			"context",
	},
}

// optionsElsewhere are fields of dockerui.Config that no option sets by itself.
var optionsElsewhere = map[string]string{
	"BuildPlatforms": "the platform of the worker: every step runs there",
	"Devices":        "never set: a device is asked for by an instruction of a Dockerfile",
}

// understood tells whether a build argument means something to BuildKit, buildx or crosshull, whatever the spec
// declares.
func understood(arg string) bool {
	return isProxyArg(arg) ||
		!strings.HasPrefix(arg, "--") && slices.ContainsFunc(Options, func(o Option) bool { return o.Name == arg })
}
