using System;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace Crosshull;

/// <summary>Finds the SDK as the <c>dotnet</c> command does, and loads its MSBuild.</summary>
static class Sdk
{
    /// <summary>The folder of dotnet: files below it are the SDK's, and no input.</summary>
    public static string Root { get; private set; }

    /// <summary>Call it before the first use of a type of MSBuild. It looks for global.json from folder up.</summary>
    public static void Use(string folder)
    {
        Root = Path.GetDirectoryName(Resolve(Environment.ProcessPath));
        var sdk = Find(folder);
        Environment.SetEnvironmentVariable("MSBUILD_EXE_PATH", sdk + "/MSBuild.dll");
        Environment.SetEnvironmentVariable("MSBuildExtensionsPath", sdk + "/");
        Environment.SetEnvironmentVariable("MSBuildSDKsPath", sdk + "/Sdks");
        Environment.SetEnvironmentVariable("DOTNET_HOST_PATH", Root + "/dotnet");
        // If a feed is out of reach, the error comes at once, not after minutes (NuGet.Protocol,
        // EnhancedHttpRetryHelper).
        Environment.SetEnvironmentVariable("NUGET_ENHANCED_MAX_NETWORK_TRY_COUNT", "1");
        Environment.SetEnvironmentVariable("NUGET_ENHANCED_NETWORK_RETRY_DELAY_MILLISECONDS", "1");
        AssemblyLoadContext.Default.Resolving += (context, name) =>
        {
            var file = Path.Combine(sdk, name.Name + ".dll");
            return File.Exists(file) ? context.LoadFromAssemblyPath(file) : null;
        };
    }

    static string Resolve(string path) =>
        new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;

    // The rules of global.json are hostfxr's own (dotnet/runtime, docs/design/features/hosting-layer-apis.md).
    static string Find(string folder)
    {
        var hostfxr = Directory.GetDirectories(Root + "/host/fxr").OrderBy(VersionOf).Last();
        var library = NativeLibrary.Load(hostfxr + "/libhostfxr.so");
        var resolve = Marshal.GetDelegateForFunctionPointer<ResolveSdk>(
            NativeLibrary.GetExport(library, "hostfxr_resolve_sdk2"));
        string found = null;
        resolve(Root, folder, 0, (key, value) =>
        {
            if (key == ResolvedSdkDir) found = value;
        });
        return found?.TrimEnd('/') ??
            throw new InvalidOperationException("the image has no SDK that global.json accepts");
    }

    static Version VersionOf(string folder) =>
        Version.TryParse(Path.GetFileName(folder).Split('-')[0], out var version) ? version : new Version();

    const int ResolvedSdkDir = 0;
    delegate void Result(int key, [MarshalAs(UnmanagedType.LPUTF8Str)] string value);
    delegate int ResolveSdk(
        [MarshalAs(UnmanagedType.LPUTF8Str)] string exeDir, [MarshalAs(UnmanagedType.LPUTF8Str)] string workingDir,
        int flags, Result result);
}
