using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Crosshull;

/// <summary>The context as a restore has left it: project files, and what NuGet wrote beside them.</summary>
sealed class Restored
{
    readonly HashSet<string> ofSdk = new(StringComparer.OrdinalIgnoreCase);

    public Restored(string folder)
    {
        Folder = folder.TrimEnd('/') + "/";
        foreach (var file in Directory.EnumerateFiles(Folder, "project.assets.json", All))
            ofSdk.UnionWith(AutoReferenced(file));
    }

    /// <summary>The folder, with a slash at its end.</summary>
    public string Folder { get; }

    /// <summary>
    /// Whether a project imports a file of a package. NuGet writes NAME.nuget.g.props and NAME.nuget.g.targets for each
    /// project (NuGet.Commands, BuildAssetsUtils), mostly without an import in them.
    /// </summary>
    public bool BringsFiles =>
        Directory.EnumerateFiles(Folder, "*.nuget.g.*", All).Select(File.ReadAllText).SelectMany(Imported).Any(IsOwn);

    /// <summary>
    /// Whether the repository asks for a package. Others are the SDK's own, such as those that trim or compile to
    /// native code. They read only what MSBuild gives them.
    /// </summary>
    public bool IsOwn(string package) => !ofSdk.Contains(package);

    static IEnumerable<string> Imported(string text) =>
        from Match m in Regex.Matches(text, @"<Import Project=""(\$\(NuGetPackageRoot\)(?<id>[^/\\""]*))?")
        select m.Groups["id"].Value;

    // Packages that a target of the SDK adds to a project (NuGet.ProjectModel, LibraryDependency.AutoReferenced).
    static IEnumerable<string> AutoReferenced(string file)
    {
        using var assets = JsonDocument.Parse(File.ReadAllBytes(file));
        if (!assets.RootElement.TryGetProperty("project", out var project) ||
            !project.TryGetProperty("frameworks", out var frameworks)) yield break;
        foreach (var framework in frameworks.EnumerateObject())
            if (framework.Value.TryGetProperty("dependencies", out var dependencies))
                foreach (var dependency in dependencies.EnumerateObject())
                    if (dependency.Value.TryGetProperty("autoReferenced", out var auto) &&
                        auto.ValueKind == JsonValueKind.True) yield return dependency.Name;
    }

    static readonly EnumerationOptions All = new()
    {
        RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint,
    };
}
