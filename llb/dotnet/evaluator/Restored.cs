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
    /// Words of project files that mean something else after a restore. NuGet writes NAME.nuget.g.props for each
    /// project, which sets the first ones (NuGet.Commands, BuildAssetsUtils). A project can look for the files, too.
    /// </summary>
    public static readonly string[] Words =
    {
        "RestoreSuccess", "RestoreTool", "ProjectAssetsFile", "NuGetPackageRoot", "NuGetPackageFolders",
        "NuGetProjectStyle", "NuGetToolVersion", "$(Pkg", "SourceRoot", "project.assets.json", "obj/", "obj\\",
        "BaseIntermediateOutputPath", "MSBuildProjectExtensionsPath",
    };

    /// <summary>Whether the restore may change what projects with these files read.</summary>
    public bool Matters(IEnumerable<byte[]> projectFiles) =>
        Directory.EnumerateFiles(Folder, "*.nuget.g.*", All).Select(File.ReadAllText).SelectMany(Imported).Any(IsOwn) ||
        projectFiles.Select(Text).Any(text => Words.Any(w => text.Contains(w, StringComparison.OrdinalIgnoreCase)));

    // A project file can have any encoding that its first bytes tell.
    static string Text(byte[] bytes)
    {
        using var reader = new StreamReader(new MemoryStream(bytes));
        return reader.ReadToEnd();
    }

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
