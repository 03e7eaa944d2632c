using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>A project with one set of global properties, as MSBuild evaluates it.</summary>
sealed class Project
{
    public Project(string path, Globals globals, Tree tree)
    {
        Path = path;
        Globals = globals;
        Reads = new Reads(tree);
    }

    public string Path { get; }
    public string Folder => System.IO.Path.GetDirectoryName(Path);
    public Globals Globals { get; }
    public Reads Reads { get; }

    /// <summary>Null where the evaluation failed, see <see cref="Error"/>.</summary>
    public ProjectInstance Instance { get; set; }
    public Problem Error { get; set; }

    /// <summary>Stand-ins whose contents the project wanted, and when.</summary>
    public Dictionary<string, Phase> Wanted { get; } = new();

    /// <summary>The files of the context that the project consists of: it and what it imports.</summary>
    public HashSet<string> Imports { get; } = new();

    /// <summary>The files of packages that it imports.</summary>
    public HashSet<string> PackageImports { get; } = new();

    /// <summary>
    /// Files of the context that have to be older than others, as times decide whether a target makes them anew, or
    /// whether a task copies them.
    /// </summary>
    public SortedSet<string> Earlier { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether a target of the repository runs a tool, or a task that is not known.</summary>
    public bool RunsTools { get; set; }

    /// <summary>What its targets write, as far as they say so: paths in the context, outside of its outputs.</summary>
    public SortedSet<string> Writes { get; } = new(StringComparer.Ordinal);

    /// <summary>The project after its targets have run; null if it has none.</summary>
    public ProjectInstance Ran { get; set; }

    /// <summary>Items of <see cref="Kept"/> that its targets add, or whose metadata they change.</summary>
    public List<ProjectItemInstance> Added { get; } = new();

    /// <summary>The lists that references are in, first before and then while they are built.</summary>
    public static readonly string[] Referring =
    {
        "ProjectReference", "ProjectReferenceWithConfiguration", "_MSBuildProjectReferenceExistent",
    };

    /// <summary>Types of items that say what a project is built from and how, also if a target adds them.</summary>
    public static readonly string[] Kept =
        Referring.Concat(new[] { "PackageReference", "Analyzer", "AdditionalFiles" }).ToArray();

    /// <summary>Whether it makes a difference when and how it is compiled, see <see cref="Outputs"/>.</summary>
    public bool Entangled { get; set; }

    /// <summary>Projects that it references, but that do not exist. MSBuild warns (MSB9008), and goes on.</summary>
    public List<string> Missing { get; } = new();

    /// <summary>Projects that it references or builds by a task.</summary>
    public HashSet<Project> References { get; } = new();

    /// <summary>Those of the references whose output the compiler runs.</summary>
    public HashSet<Project> Generators { get; } = new();

    /// <summary>
    /// Whether it gets the runtime identifier of what references it (_GetProjectReferenceTargetFrameworkProperties).
    /// </summary>
    public bool TakesRuntime => this["RuntimeIdentifiers"] != "" ||
        this["IsRidAgnostic"].Equals("false", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a restore may change what the project reads.</summary>
    public bool ByRestore { get; set; }

    /// <summary>Whether targets of the repository run in its restore. They may write sources.</summary>
    public bool InRestore { get; set; }

    /// <summary>Whether folder bin beside it has files of the author.</summary>
    public bool OwnBin { get; set; }

    /// <summary>Whether its XML uses the list of all items None, also of those that do nothing by themselves.</summary>
    public bool UsesNone { get; set; }

    /// <summary>Whether its XML asks for _IsPublishing, which dotnet publish sets for its restore, too.</summary>
    public bool ByPublishing { get; set; }

    public string this[string property] => Instance?.GetPropertyValue(property) ?? "";
    public string Expand(string text) => Instance?.ExpandString(text) ?? "";
    public bool Is(string property) => this[property].Equals("true", StringComparison.OrdinalIgnoreCase);
    public IEnumerable<ProjectItemInstance> Items(string type) =>
        (Instance?.GetItems(type) ?? Enumerable.Empty<ProjectItemInstance>())
        .Concat(Added.Where(i => i.ItemType.Equals(type, StringComparison.OrdinalIgnoreCase)));

    /// <summary>The references, also those that targets add, or give other metadata.</summary>
    public IEnumerable<ProjectItemInstance> ReferenceItems => Referring.SelectMany(Items);

    public static string[] List(string value) =>
        value.Split(new[] { ';', '\n', '\r' }, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}

/// <summary>Global properties, compared by their values. The case of names makes no difference.</summary>
sealed class Globals
{
    readonly SortedDictionary<string, string> properties = new(StringComparer.OrdinalIgnoreCase);

    public static readonly Globals None = new();

    public IDictionary<string, string> ToDictionary() =>
        new Dictionary<string, string>(properties, StringComparer.OrdinalIgnoreCase);
    public bool Has(string name) => properties.ContainsKey(name);
    public string this[string name] => properties.GetValueOrDefault(name, "");

    public Globals With(string name, string value)
    {
        var copy = new Globals();
        foreach (var p in properties) copy.properties[p.Key] = p.Value;
        copy.properties[name] = value;
        return copy;
    }

    public Globals With(IEnumerable<KeyValuePair<string, string>> more) =>
        more.Aggregate(this, (g, p) => g.With(p.Key, p.Value));

    public Globals Without(IEnumerable<string> names)
    {
        var copy = new Globals();
        foreach (var p in properties) copy.properties[p.Key] = p.Value;
        foreach (var n in names) copy.properties.Remove(n);
        return copy;
    }

    /// <summary>The properties in a text such as <c>A=1;B=2</c>, as metadata of references have it.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Parse(string text) =>
        from pair in text.Split(';')
        let at = pair.IndexOf('=')
        where at > 0
        select new KeyValuePair<string, string>(pair.Substring(0, at).Trim(), pair.Substring(at + 1).Trim());

    public override string ToString() =>
        string.Join(";", properties.Select(p => p.Key.ToLowerInvariant() + "=" + p.Value));
}

/// <summary>An error of MSBuild, with its place where it has one.</summary>
sealed record Problem(string File, int Line, int Column, string Code, string Message, string Project);
