using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Enumeration;
using System.Linq;
using System.Text.RegularExpressions;
using Microsoft.Build.Construction;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>
/// Finds libraries for which it makes a difference when and where they are compiled. If a library is compiled apart,
/// its outputs are there before the app is evaluated, so wildcards find them. And they lack copies of other outputs. So
/// no project may look at them, other than by a reference. This errs on the safe side.
/// </summary>
sealed class Outputs
{
    // Properties of what a compile writes, with the property that has to be true for that.
    static readonly (string Property, string Switch)[] Written =
    {
        ("OutDir", ""), ("OutputPath", ""), ("IntermediateOutputPath", ""), ("DocumentationFile", ""), ("PdbFile", ""),
        ("ErrorLog", ""), ("ProjectDepsFilePath", ""), ("ProjectRuntimeConfigFilePath", ""),
        ("OpenApiDocumentsDirectory", ""), ("CompilerGeneratedFilesOutputPath", "EmitCompilerGeneratedFiles"),
        ("PackageOutputPath", "GeneratePackageOnBuild"),
    };

    // Properties of folders that a project leaves out of its wildcards (Microsoft.NET.Sdk.DefaultItems.props).
    static readonly string[] Excluded = { "BaseOutputPath", "BaseIntermediateOutputPath" };

    // Properties that say where the project itself writes.
    static readonly HashSet<string> OwnPlaces = Written.Select(w => w.Property).Concat(Excluded)
        .Concat(new[] { "PublishDir", "TargetDir", "ArtifactsPath", "MSBuildProjectExtensionsPath" })
        .ToHashSet(StringComparer.OrdinalIgnoreCase);

    // Folders of its own output, with a slash at the end.
    static readonly Regex Own = new(@"\$\((OutDir|OutputPath|TargetDir)\)", RegexOptions.IgnoreCase);

    readonly Tree tree;
    readonly Evaluator evaluator;
    readonly Dictionary<Project, Names> named = new();

    public Outputs(Tree tree, Evaluator evaluator)
    {
        this.tree = tree;
        this.evaluator = evaluator;
    }

    // What the XML of a project names outside of its folder: paths, patterns of paths, patterns that begin in a folder
    // that only a build knows, and whether it looks for files in such a folder itself.
    sealed class Names
    {
        public readonly HashSet<string> Paths = new(), Patterns = new(), Tails = new();
        public bool Anything;
    }

    /// <summary>Takes what the XML of a project names, after its targets have run.</summary>
    public void Take(Project project)
    {
        var names = named[project] = new Names();
        var instance = project.Ran ?? project.Instance;
        foreach (var file in project.Imports.Select(evaluator.Parsed).Where(f => f != null))
            foreach (var element in file.AllChildren)
                foreach (var text in Texts(element))
                    if (text.AsSpan().IndexOfAny("/\\%") >= 0 || text.Contains("::") || Own.IsMatch(text))
                        Take(project, instance, names, Expressions.Here(text, element));
        foreach (var folder in project.Reads.Folders.Keys) Add(project, names, folder + "/**/*");
        project.Ran = null;
    }

    static IEnumerable<string> Texts(ProjectElement element) => Targets.Looked(element).Concat(element switch
    {
        ProjectPropertyElement property when !OwnPlaces.Contains(property.Name) => new[] { property.Value },
        ProjectItemElement item => new[] { item.Include },
        ProjectMetadataElement metadata => new[] { metadata.Value },
        ProjectTargetElement target => new[] { target.Inputs },
        ProjectTaskElement task => Calls.Given(task),
        _ => Enumerable.Empty<string>(),
    });

    /// <summary>A text with the values of an instance, with slashes; empty if that is not possible.</summary>
    public static string Expand(ProjectInstance instance, string text)
    {
        if (text.Contains("[System.IO.File]")) return ""; // it would read the file, perhaps against its condition
        try
        {
            return instance.ExpandString(text).Replace('\\', '/');
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return ""; // a property function that fails
        }
    }

    void Take(Project project, ProjectInstance instance, Names names, string text)
    {
        var expanded = Expand(instance, text);
        foreach (var word in Project.List(expanded).Concat(Commands.Words(expanded)))
            if (word.Contains('/') && !word.Contains("%(")) Add(project, names, word);
        // With metadata as it is, also that of items which only a build makes.
        if (!text.Contains("%(")) return;
        foreach (var word in Regex.Split(Expand(instance, text.Replace("@(", "(")), "[\\s\"'`|&<>;=,]+"))
            if (word.Contains("%(")) Metadata(project, names, word);
    }

    void Metadata(Project project, Names names, string word)
    {
        var parts = Regex.Split(word, @"%\([^)]*\)");
        if (parts[0].Contains('/'))
        {
            Add(project, names, string.Join("**", parts));
            return;
        }
        for (var i = 1; i < parts.Length; i++)
        {
            var tail = string.Join("**", parts.Skip(i)).TrimStart('/');
            if (tail.Contains('/') && tail[0] != '*') names.Tails.Add(tail);
        }
        names.Anything |= Regex.Matches(word, @"%\((?:(?<type>\w+)\.)?(?:Directory|RelativeDir)\)[^/%]*[*?]")
            .Any(m => !project.Items(m.Groups["type"].Value).Any());
    }

    void Add(Project project, Names names, string word)
    {
        var wildcard = word.IndexOfAny("*?".ToCharArray());
        var fixedPart = wildcard < 0 ? word : word.Substring(0, word.LastIndexOf('/', wildcard) + 1);
        if (fixedPart == "" || project.Reads.Place(project.Folder, fixedPart)?.TrimEnd('/') is not { } path) return;
        project.Entangled |= LooksBeside(project, path, wildcard >= 0);
        if (Covers(project.Folder, path)) return;
        if (wildcard < 0) names.Paths.Add(path);
        else if (!Tree.IsProject(word)) names.Patterns.Add(path + "/" + word.Substring(fixedPart.Length));
    }

    // Whether a project looks into its own output for more than what its compile makes: what it references, say.
    static bool LooksBeside(Project project, string path, bool pattern) =>
        project.Reads.Place(project.Folder, project["OutDir"]) is { } output && Covers(output.TrimEnd('/'), path) &&
        (pattern || !Path.GetFileName(path).StartsWith(project["TargetName"]));

    static bool Covers(string folder, string path) => path == folder || path.StartsWith(folder + "/");

    /// <summary>Marks the projects of a closure that cannot be compiled apart.</summary>
    public void Check(IEnumerable<Project> closure)
    {
        var all = closure.Where(p => p.Instance != null).ToList();
        var libraries = all.Where(Compiled.Apart).ToList();
        var folders = all.ToLookup(p => p.Folder);
        var places = new List<(string Path, Project Of)>();
        foreach (var library in libraries)
            foreach (var place in Places(library).Distinct())
            {
                // What is in the repository, the library's own wildcards find in any case.
                var committed = tree.HasFile(place);
                if (Above(place).SelectMany(f => folders[f])
                    .Any(p => !Excludes(p, place) && !(committed && p.Path == library.Path))) library.Entangled = true;
                places.Add((place, library));
                // A project may also name bin.
                foreach (var folder in Above(place).Where(f => f.StartsWith(library.Folder + "/")))
                    if (folder != place) places.Add((folder, library));
            }
        var byPath = places.ToLookup(p => p.Path, p => p.Of);
        void Looks(Func<Names, IEnumerable<string>> of, Func<string, IEnumerable<Project>> at)
        {
            foreach (var (name, lookers) in all.Where(named.ContainsKey)
                .SelectMany(p => of(named[p]).Select(n => (n, p))).GroupBy(x => x.n, x => x.p).Select(g => (g.Key, g)))
                foreach (var library in at(name).Distinct().ToList())
                    foreach (var project in lookers.Where(p => p.Path != library.Path))
                        library.Entangled = project.Entangled = true;
        }
        Looks(n => n.Paths, path => Above(path).SelectMany(f => byPath[f]));
        Looks(n => n.Patterns, pattern => places.Where(p => Reaches(pattern, p.Path)).Select(p => p.Of));
        Looks(n => n.Tails, tail => places.Where(p => Reaches(p.Of.Folder + "/" + tail, p.Path)).Select(p => p.Of));
        Looks(n => n.Anything ? new[] { "" } : Array.Empty<string>(), _ => libraries);
    }

    // A path and the folders above it, up to the context.
    IEnumerable<string> Above(string path)
    {
        for (; tree.IsIn(path + "/"); path = Path.GetDirectoryName(path)) yield return path;
    }

    static IEnumerable<string> Places(Project project)
    {
        foreach (var (property, on) in Written)
            if ((on == "" || project.Is(on)) && project[property].Split(',')[0] is { Length: > 0 } value &&
                project.Reads.Place(project.Folder, value) is { } place) yield return place.TrimEnd('/');
        foreach (var place in project.Writes) yield return place;
    }

    // Whether the wildcards of a project do not find what is at a place in its folder.
    static bool Excludes(Project project, string place) =>
        Excluded.Any(e => project.Reads.Place(project.Folder, project[e]) is { } folder &&
            Covers(folder.TrimEnd('/'), place));

    // Whether a pattern can match something at or below a path.
    static bool Reaches(string pattern, string path)
    {
        var wildcard = pattern.IndexOfAny("*?".ToCharArray());
        var fixedPart = wildcard < 0 ? pattern : pattern.Substring(0, pattern.LastIndexOf('/', wildcard));
        if (!Covers(fixedPart, path) && !Covers(path, fixedPart)) return false;
        // No name is empty: nothing matches that.
        const StringSplitOptions names = StringSplitOptions.RemoveEmptyEntries;
        return Reaches(pattern.Split('/', names), 0, path.Split('/', names), 0);
    }

    static bool Reaches(string[] pattern, int i, string[] path, int j)
    {
        if (j == path.Length) return true;
        if (i == pattern.Length) return false;
        if (pattern[i].Length > 1 && pattern[i].All(c => c == '*'))
            return Reaches(pattern, i + 1, path, j) || Reaches(pattern, i, path, j + 1);
        return FileSystemName.MatchesSimpleExpression(pattern[i], path[j], ignoreCase: false) &&
            Reaches(pattern, i + 1, path, j + 1);
    }
}
