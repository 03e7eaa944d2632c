using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Microsoft.Build.Construction;
using Microsoft.Build.Definition;
using Microsoft.Build.Evaluation;
using Microsoft.Build.Evaluation.Context;
using Microsoft.Build.Exceptions;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>Evaluates projects over a tree, each once for the same global properties.</summary>
sealed class Evaluator : IDisposable
{
    // An import that is missing is an error, as in a build: the tree has every name of the context.
    const ProjectLoadSettings Settings = ProjectLoadSettings.Default;

    static readonly string packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES") + "/";

    readonly Tree tree;
    readonly Trap trap;
    readonly Dictionary<(string, string), Project> projects = new();
    readonly Dictionary<string, ProjectRootElement> loaded = new(); // keeps them alive: MSBuild's cache does not
    readonly EvaluationContext context;

    readonly string own; // where crosshull's files are

    public Evaluator(Tree tree, Trap trap, string own)
    {
        this.tree = tree;
        this.trap = trap;
        this.own = own;
        Collection = new ProjectCollection(new Dictionary<string, string>());
        context = EvaluationContext.Create(EvaluationContext.SharingPolicy.Shared, new Recorder(trap));
        foreach (var file in tree.Projects()) Load(file);
    }

    public ProjectCollection Collection { get; }

    /// <summary>Whether an evaluation wanted contents that it did not get.</summary>
    public bool Wants { get; private set; }

    public IEnumerable<Project> Projects => projects.Values;
    public BuildParameters Parameters => new(Collection)
    {
        MaxNodeCount = 1, EnableNodeReuse = false, ProjectLoadSettings = Settings,
        UICulture = CultureInfo.InvariantCulture,
    };

    // MSBuild parses a file once, and keeps the result. So the file can be closed then: only a property function or a
    // task still reads it. A file that is not XML stays open, so that the evaluation says what is wrong.
    void Load(string file)
    {
        try
        {
            loaded[file] = ProjectRootElement.Open(file, Collection);
            if (tree.HasFile(file)) tree.Close(file);
        }
        catch (InvalidProjectFileException) { }
    }

    /// <summary>The parsed file; null if it is not XML.</summary>
    public ProjectRootElement Parsed(string file)
    {
        if (!loaded.ContainsKey(file)) Load(file); // an import without the name of a project file
        return loaded.GetValueOrDefault(file);
    }

    /// <summary>Those of some files that are XML, parsed.</summary>
    public List<ProjectRootElement> Parsed(IEnumerable<string> files) =>
        files.Select(Parsed).Where(f => f != null).ToList();

    public Project Evaluate(string path, Globals globals)
    {
        var key = (path, globals.ToString());
        if (projects.TryGetValue(key, out var project)) return project;
        projects[key] = project = new Project(path, globals, tree);
        Evaluate(project);
        Wants |= project.Wanted.Count > 0;
        return project;
    }

    /// <summary>Evaluates a project as it is now: its XML may have changed, or the tree.</summary>
    public void Evaluate(Project project)
    {
        using var _ = trap.Read(project, Phase.Evaluation);
        try
        {
            project.Instance = ProjectInstance.FromFile(project.Path, new ProjectOptions
            {
                GlobalProperties = project.Globals.ToDictionary(), ProjectCollection = Collection,
                EvaluationContext = context, LoadSettings = Settings,
            });
            project.Imports.Add(project.Path);
            foreach (var import in project.Instance.ImportPaths)
                if (tree.HasFile(import)) project.Imports.Add(import);
                else if (IsOfPackage(import)) project.PackageImports.Add(import);
        }
        catch (InvalidProjectFileException e)
        {
            project.Error = new Problem(
                e.ProjectFile, e.LineNumber, e.ColumnNumber, e.ErrorCode, e.BaseMessage, project.Path);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            project.Error = new Problem(project.Path, 0, 0, "", e.Message, project.Path);
        }
    }

    // Packages can lie anywhere: an import that is not in the context is the SDK's, crosshull's, or a package's.
    bool IsOfPackage(string import) => !import.StartsWith(Sdk.Root + "/") && !import.StartsWith(own) &&
        (!import.StartsWith(packages) || tree.IsOwn(import.Substring(packages.Length).Split('/')[0]));

    /// <summary>Each property of the project and each type of its items, as texts to compare.</summary>
    public Dictionary<string, string> Snapshot(Project project)
    {
        var again = new Project(project.Path, project.Globals, tree);
        Evaluate(again);
        if (again.Instance == null) return new() { [""] = again.Error.Message };
        var values = again.Instance.Properties.ToDictionary(p => "$" + p.Name, p => p.EvaluatedValue);
        foreach (var items in again.Instance.Items.GroupBy(i => i.ItemType))
            values["@" + items.Key] =
                string.Join("\n", items.Select(Line).OrderBy(l => l, StringComparer.Ordinal));
        return values;
    }

    /// <summary>An item with its metadata, as a text to compare.</summary>
    public static string Line(ProjectItemInstance item) => item.ItemType + " " + item.EvaluatedInclude +
        string.Concat(item.Metadata.Select(m => " " + m.Name + "=" + m.EvaluatedValue));

    public void Dispose()
    {
        Collection.Dispose();
        tree.Reopen();
    }
}
