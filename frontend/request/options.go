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
	// Field is the field of [dockerui.Config] that has its value; empty if none has.
	Field string
	// By is who does it: ByCrosshull, or a program other than the frontend.
	By string
	// Does says what is done, for the documentation.
	Does string
}

// Options are all options. Tests compare them with dockerui.Config, with buildx and with docs/reference/options.md.
var Options = []Option{
	{"--add-host", "ExtraHosts", ByCrosshull, "in every step that runs a command"},
	{"--allow", "", ByBuildKit, "the steps need no entitlement; `--network host` needs `network.host`"},
	{"--annotation", "", ByBuildKit, "wins over crosshull's annotations in [most cases](labels.md#annotations)"},
	{"--attest", "SBOM", ByCrosshull, "`type=sbom`: see `--sbom`; `type=provenance`: see `--provenance`"},
	{"--build-arg", "BuildArgs", ByCrosshull,
		"sets `${NAME}` of the spec if the spec declares `NAME` in `args`; " +
			"proxies go to every step that runs a command; any other gives a warning"},
	{"--build-context", "", ByCrosshull,
		"replaces the image of that name (base, SDK, toolchain or frontend), or is a `context` of `files`"},
	{"--builder", "", ByBuildx, "any that has BuildKit; several nodes make the same images as one node"},
	{"--cache-from", "CacheImports", ByCrosshull, "for all steps"},
	{"--cache-to", "", ByBuildKit, "`mode=max` exports packages, compiled libraries and published files, but no SDK"},
	{"--call", "", ByCrosshull,
		"`check`, `outline`, `targets`, `subrequests.describe`, `convertllb`, and calls of crosshull's own"},
	{"--cgroup-parent", "CgroupParent", ByCrosshull, "for every step that runs a command"},
	{"--check", "LinterConfig", ByCrosshull,
		"rules for specs and .NET projects; `# check=skip=…` and `BUILDKIT_DOCKERFILE_CHECK` choose among them"},
	{"--debug", "", ByBuildx, "shows all of each warning and error"},
	{"--file", "", ByCrosshull, "the spec; without it, `crosshull.yaml` if `BUILDKIT_SYNTAX` names the frontend"},
	{"--iidfile", "", ByBuildx, "the digest of the image or the index"},
	{"--label", "Labels", ByCrosshull, "on every image; wins over [all other labels](labels.md)"},
	{"--load", "", ByBuildKit, "one platform, or several if the engine has the containerd image store"},
	{"--metadata-file", "", ByCrosshull, "gets the [report](calls.md#the-report-of-a-build), `frontend.crosshull.report`"},
	{"--network", "NetworkMode", ByCrosshull,
		"for every step that runs a command; without a network, restore fails unless it is cached"},
	{"--no-cache", "", ByCrosshull, "runs every step again"},
	{
		"--no-cache-filter", "", ByCrosshull,
		"runs a phase again: `tools`, `before`, `describe`, `restore`, `publish`, `after`, `test`, `packages`, `image`",
	},
	{"--output", "", ByBuildKit,
		"`registry`, `image`, `oci`, `docker`, `local`, `tar`; " +
			"targets `publish`, `sbom` and `test` are for `local` and `tar`"},
	{"--platform", "TargetPlatforms", ByCrosshull,
		"an image for each platform, once if it is named twice; without it, for the platform of the builder"},
	{"--policy", "", ByBuildx, "applies to every image that a build uses"},
	{"--progress", "", ByBuildx, "the names of steps begin with their phase; a group of libraries is one step"},
	{"--provenance", "", ByBuildKit, "`mode=max` maps every step to a line of the spec"},
	{"--pull", "ImageResolveMode", ByCrosshull, "for base, SDK and toolchain"},
	{"--push", "", ByBuildKit, "does not pull the layers of the base"},
	{"--quiet", "", ByBuildx, "shows the digest alone"},
	{"--resource", "LinuxResources", ByCrosshull, "for every step that runs a command"},
	{"--sbom", "SBOM", ByCrosshull, "adds the [NuGet packages](../howto/sbom.md) of the app to what the scanner finds"},
	{"--secret", "", ByCrosshull,
		"only for steps whose key names it: `nuget`, `publish.secrets`, `tests.secrets`, `secrets` of a command"},
	{"--shm-size", "ShmSize", ByCrosshull, "for every step that runs a command"},
	{"--ssh", "", ByCrosshull, "only for steps that compile, if `publish.ssh` names it, and for commands that name it"},
	{"--tag", "", ByBuildKit, "the name of the image"},
	{"--target", "Target", ByCrosshull, "see `--call=targets`"},
	{"--ulimit", "Ulimits", ByCrosshull, "for every step that runs a command"},

	{"BUILDKIT_BUILD_NAME", "", ByBuildx, "names the build in its history"},
	{
		"BUILDKIT_CACHE_MOUNT_NS", "CacheIDNamespace", ByCrosshull,
		"begins the names of [cache folders](../concepts/security-model.md#cache-folders) of commands",
	},
	{"BUILDKIT_CONTEXT_KEEP_GIT_DIR", "", ByCrosshull, "keeps `.git` in the context, also in a local one"},
	{"BUILDKIT_DOCKERFILE_CHECK", "LinterConfig", ByCrosshull, "like `# check=` in the spec, and wins over it"},
	{"BUILDKIT_GIT_ADVICE", "GitAdvice", ByBuildKit, "for git contexts"},
	{"BUILDKIT_INLINE_CACHE", "", ByBuildKit, "exports the cache with the image"},
	{"BUILDKIT_MULTI_PLATFORM", "MultiPlatformRequested", ByCrosshull, "makes an index even for one platform"},
	{"BUILDKIT_SANDBOX_HOSTNAME", "Hostname", ByCrosshull, "in every step that runs a command"},
	{"BUILDKIT_SBOM_SCAN_CONTEXT", "", ByCrosshull, "scans the context too"},
	{"BUILDKIT_SBOM_SCAN_STAGE", "", ByCrosshull, "scans the restored packages too"},
	{"BUILDKIT_SYNTAX", "", ByBuildx, "names the frontend, whatever the file says"},
	{"CROSSHULL_DEBUG", "", ByCrosshull,
		"`true` lets `docker buildx debug` and `dap` open the failed step; you then see BuildKit's message, not crosshull's"},
	{"CROSSHULL_SUMMARY", "", ByCrosshull, "`false` leaves out the [summary](calls.md#the-report-of-a-build)"},
	{"SOURCE_DATE_EPOCH", "", ByCrosshull,
		"the time of the image, its labels and annotations: seconds since 1970, or `context` for the time of the git commit"},
}

// optionsElsewhere are fields of dockerui.Config that no option sets by itself.
var optionsElsewhere = map[string]string{
	"BuildPlatforms": "the platform of the worker: every step runs there",
	"Devices":        "no effect: only an instruction of a Dockerfile can ask for a device",
}

// understood tells whether a build argument means something to BuildKit, buildx or crosshull, whatever the spec
// declares.
func understood(arg string) bool {
	return isProxyArg(arg) ||
		!strings.HasPrefix(arg, "--") && slices.ContainsFunc(Options, func(o Option) bool { return o.Name == arg })
}
