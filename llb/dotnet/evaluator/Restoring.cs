using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.Build.Construction;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>
/// Finds the targets that run in a restore: those of NuGet, what they depend on, and what runs before or after them. A
/// restore needs what these targets read.
/// </summary>
static class Restoring
{
    public const string SessionId = "MSBuildRestoreSessionId";

    /// <summary>A session's value. MSBuild takes a new one for each restore, and nothing depends on which.</summary>
    public const string AnySession = "crosshull";

    /// <summary>Properties that MSBuild and NuGet set for a restore alone.</summary>
    public static readonly string[] Words = { "MSBuildIsRestoring", SessionId, "ExcludeRestorePackageImports" };

    static readonly string[] OfNuGet = { "NuGet.targets", "NuGet.RestoreEx.targets" };

    /// <param name="files">All files that the project consists of, those of the SDK included.</param>
    public static HashSet<string> Targets(ProjectInstance project, List<ProjectRootElement> files)
    {
        string[] Names(string list) => Project.List(project.ExpandString(list));
        var targets = files.SelectMany(f => f.Targets).ToList();
        var around = targets.SelectMany(t => Names(t.BeforeTargets + ";" + t.AfterTargets).Select(n => (n, t)))
            .ToLookup(p => p.n, p => p.t.Name, StringComparer.OrdinalIgnoreCase);
        var before = targets.ToLookup(t => t.Name, t => t.DependsOnTargets, StringComparer.OrdinalIgnoreCase);
        var found = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        void Add(string name)
        {
            if (!found.Add(name)) return;
            foreach (var other in around[name].Concat(before[name].SelectMany(Names))) Add(other);
        }
        foreach (var file in files)
        {
            foreach (var name in Names(file.InitialTargets)) Add(name);
            if (OfNuGet.Contains(Path.GetFileName(file.FullPath)))
                foreach (var target in file.Targets) Add(target.Name);
        }
        return found;
    }
}
