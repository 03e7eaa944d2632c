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

    // Items that say what a project needs of packages, frameworks, and other projects.
    static readonly string[] Needs =
    {
        "PackageReference", "PackageVersion", "GlobalPackageReference", "PackageDownload", "FrameworkReference",
        "ProjectReference", "NuGetAuditSuppress",
    };

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

    /// <summary>
    /// The item lists by which files of a project decide what it needs: a restore has to find the same items.
    /// </summary>
    /// <param name="own">The files of the repository.</param>
    /// <param name="targets">The targets that run in a restore.</param>
    public static HashSet<string> Lists(IEnumerable<ProjectRootElement> own, HashSet<string> targets)
    {
        var elements = own.SelectMany(f => f.AllChildren).Where(e =>
            e.AllParents.OfType<ProjectTargetElement>().All(t => targets.Contains(t.Name))).ToList();
        var lists = Needs.ToHashSet(StringComparer.OrdinalIgnoreCase);
        bool Deciding((string Name, string Text) setting) => lists.Contains(setting.Name);
        var settings = elements.SelectMany(Setting).ToList();
        for (var known = 0; known < lists.Count;)
        {
            known = lists.Count;
            lists.UnionWith(settings.Where(Deciding).SelectMany(s => Expressions.Used(s.Text)));
        }
        lists.ExceptWith(Needs);
        return lists;
    }

    // What an element gives a value to, and what decides that value.
    static IEnumerable<(string Name, string Text)> Setting(ProjectElement element)
    {
        var conditions = string.Concat(element.AllParents.Prepend(element).Select(e => e.Condition));
        return element switch
        {
            ProjectPropertyElement p => new[] { (p.Name, p.Value + conditions) },
            ProjectItemElement i =>
                new[] { (i.ItemType, i.Include + i.Exclude + i.Remove + i.Update + i.MatchOnMetadata + conditions) },
            ProjectMetadataElement { Parent: ProjectItemElement of } m => new[] { (of.ItemType, m.Value + conditions) },
            ProjectOutputElement { Parent: ProjectTaskElement task } o => new[]
            {
                (o.PropertyName + o.ItemType, string.Concat(task.Parameters.Values) + conditions),
            },
            _ => Array.Empty<(string, string)>(),
        };
    }
}
