using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Microsoft.Build.Construction;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>What decides how a project is compiled, and which packages it gets.</summary>
static class Compiled
{
    static readonly string[] OddMetadata =
    {
        "OutputItemType", "PrivateAssets", "IncludeAssets", "ExcludeAssets", "Properties",
        "AdditionalProperties", "SetConfiguration", "SetPlatform", "SetTargetFramework", "UndefineProperties",
        "GlobalPropertiesToRemove",
    };

    /// <summary>
    /// Whether a separate process can compile the project with only the reference assemblies of its references. This is
    /// not so for a project that has several frameworks, or whose language has no tests here, nor for one that is
    /// <see cref="Project.Entangled"/>, as with an <see cref="Odd"/> reference.
    /// </summary>
    public static bool Apart(Project project) =>
        project.Is("UsingMicrosoftNETSdk") && Path.GetExtension(project.Path) == ".csproj" &&
        project["OutputType"] == "Library" && project["RuntimeIdentifier"] == "" &&
        !project["TargetFrameworks"].Contains(';');

    /// <summary>
    /// Whether a reference is built by other targets, or with properties that other references do not get.
    /// </summary>
    public static bool InAnotherWay(ProjectItemInstance reference) => reference.GetMetadataValue("Targets") != "" ||
        reference.GetMetadataValue("SkipGetTargetFrameworkProperties")
            .Equals("true", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a reference of a project keeps that from being compiled apart.</summary>
    public static bool Odd(ProjectItemInstance reference)
    {
        bool Is(string metadata, string value) =>
            reference.GetMetadataValue(metadata).Equals(value, StringComparison.OrdinalIgnoreCase);
        return OddMetadata.Any(m => reference.GetMetadataValue(m) != "") ||
            Is("ReferenceOutputAssembly", "false") || Is("BuildReference", "false") || Is("Private", "false") ||
            InAnotherWay(reference);
    }

    /// <summary>
    /// Whether targets in these files use the assemblies of references, such as to embed them: the lists ReferencePath,
    /// ReferenceCopyLocalPaths and others of the SDK. A slice has only reference assemblies there. The list for the
    /// compiler has them in any build (ReferencePathWithRefAssemblies).
    /// </summary>
    public static bool TakesAssemblies(IEnumerable<ProjectRootElement> files) =>
        files.SelectMany(f => f.Targets).SelectMany(t => Expressions.Used(t.OuterElement)).Any(name =>
            name.Contains("Reference", StringComparison.OrdinalIgnoreCase) &&
            name.Contains("Path", StringComparison.OrdinalIgnoreCase) &&
            !name.Equals("ReferencePathWithRefAssemblies", StringComparison.OrdinalIgnoreCase));

    /// <summary>
    /// The packages with a version such as 1.* or (,2.0], which depends on what feeds have that day. Under central
    /// management Directory.Packages.props has the versions.
    /// </summary>
    public static IEnumerable<(string Id, string Version)> Floating(Project project)
    {
        var references = project.Items("PackageReference").ToList();
        var versions = references.Select(p =>
            (p.EvaluatedInclude, p.GetMetadataValue("Version") + p.GetMetadataValue("VersionOverride")));
        if (project.Is("ManagePackageVersionsCentrally"))
        {
            var used = references.Select(p => p.EvaluatedInclude).ToHashSet(StringComparer.OrdinalIgnoreCase);
            versions = versions.Concat(project.Items("PackageVersion").Where(p => used.Contains(p.EvaluatedInclude))
                .Select(p => (p.EvaluatedInclude, p.GetMetadataValue("Version"))));
        }
        return versions.Where(v => Regex.IsMatch(v.Item2, @"\*|^\("));
    }
}
