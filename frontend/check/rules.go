package check

// RuntimeMismatch is the name of the rule about the runtime of the base. A build refuses such a base once it knows what
// was published, unless this rule is skipped.
const RuntimeMismatch = "RuntimeMismatch"

// Rules are all rules, in the order of docs/reference/checks.md.
var Rules = []Rule{
	// What the file says.
	{
		Name:        "MissingSyntax",
		Description: "The spec should name its frontend where BuildKit looks for it: in the first line",
		once:        missingSyntax,
	},
	{
		Name:        "MisplacedCheck",
		Description: "A check directive has no effect below a line that is not a directive",
		once:        misplacedCheck,
	},
	{Name: "UnusedArg", Description: "Build arguments should be used where they are declared", once: unusedArg},
	{Name: "DeprecatedKey", Description: "The spec should have no key that a later version removes", once: deprecatedKey},
	{Name: "SecretInSpec", Description: "Secrets should not be in the spec", once: secretInSpec},
	{
		Name:        "EscapedTestFilter",
		Description: "A filter of tests should be written as it is, without escapes for MSBuild",
		once:        escapedTestFilter,
	},
	{
		Name:        "DuplicatePackage",
		Description: "An OS package should be named once for an image",
		perApp:      duplicatePackage,
		none:        true,
	},
	{Name: "TestProject", Description: "A test project is not published: it belongs in tests", once: testProject},
	{
		Name:        "MissingProject",
		Description: "The projects of a solution should be in the context",
		perApp:      missingProject,
	},
	{
		Name:        "IgnoredGlobalJSON",
		Description: "The SDK should be able to read global.json",
		perApp:      ignoredGlobalJSON,
	},

	// What is out of date, or changes by itself.
	{
		Name:        "EndOfLifeFramework",
		Description: "The app should target a version of .NET that has support",
		perApp:      endOfLifeFramework,
	},
	{
		Name:        "EndOfLifeBase",
		Description: "Images should be of versions and distributions that have support",
		perApp:      endOfLifeBase,
		none:        true,
	},
	{Name: "FloatingBaseTag", Description: "Images should be named with a version", perApp: floatingBaseTag, none: true},
	{
		Name:        "UnpinnedFile",
		Description: "Files from elsewhere should be the same in every build",
		perApp:      unpinnedFile,
		none:        true,
	},
	{
		Name:        "UnpinnedPackages",
		Description: "If the base is pinned, its OS packages should be pinned, too",
		perApp:      unpinnedPackages,
		none:        true,
	},
	{
		Name:        "CachedPackages",
		Description: "OS packages of no fixed day should be installed anew now and then",
		perApp:      cachedPackages,
		none:        true,
	},
	{
		Name:        "UnlockedFloatingVersions",
		Description: "Floating versions of packages should be locked",
		perApp:      unlockedFloatingVersions,
	},
	{
		Name:        "LockFileNotEnforced",
		Description: "Restore should fail where a lock file does not fit",
		perApp:      lockFileNotEnforced,
	},
	{Name: "FeedCredentials", Description: "Credentials of feeds should not be in nuget.config", perApp: feedCredentials},

	// The base and the platform.
	{
		Name:        "PlatformMissing",
		Description: "The base image should exist for every platform of the build",
		perApp:      platformMissing,
		none:        true,
	},
	{
		Name:        RuntimeMismatch,
		Description: "The base image should have the runtime that the app needs, and no other",
		perApp:      runtimeMismatch,
	},
	{
		Name:        "InvariantMode",
		Description: "The base image should have ICU where the app uses cultures, and only there",
		perApp:      invariantMode,
	},
	{
		Name:        "AotOnMusl",
		Description: "AOT should link for the C library and the architecture of the image",
		perApp:      aotOnMusl,
	},

	{
		Name:        "PlatformTarget",
		Description: "Libraries should run on every platform of the build",
		perApp:      platformTarget,
	},
	{
		Name:        "NativeAssets",
		Description: "Packages should have machine code for the platform and the C library of the image",
		published:   nativeAssets,
	},

	{
		Name:        "CommandArchitecture",
		Description: "What commands make should be for the platform of the image",
		published:   commandArchitecture,
	},

	// How the app runs in the image.
	{
		Name:        "MissingEntrypoint",
		Description: "An image of files alone should say what it runs",
		perApp:      missingEntrypoint,
		none:        true,
	},
	{Name: "RootUser", Description: "The app should not run as root", perApp: rootUser, none: true},
	{
		Name:        "UnusedUser",
		Description: "A user of the spec should be the user of the image, or the owner of a file",
		perApp:      unusedUser,
		none:        true,
	},
	{
		Name:        "UserInBase",
		Description: "The spec need not repeat users and groups of the base",
		perApp:      userInBase,
		none:        true,
	},
	{
		Name:        "PrivilegedPort",
		Description: "A user other than root should listen on ports from 1024 on",
		perApp:      privilegedPort,
		none:        true,
	},
	{
		Name:        "LoopbackAddress",
		Description: "The app should listen where it can be reached from outside of the container",
		perApp:      loopbackAddress,
		none:        true,
	},
	{
		Name:        "ShellInHealthcheck",
		Description: "A base without a shell cannot run a shell command",
		perApp:      shellInHealthcheck,
		none:        true,
	},
	{
		Name:        "MissingHealthcheckTool",
		Description: "A health check should run what is in the image",
		perApp:      missingHealthcheckTool,
		none:        true,
	},
}
