using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.Build.Construction;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>Finds what an evaluated project names: imports, items, their metadata, properties.</summary>
sealed class Inputs
{
    // Properties that name files of a package, or what a project leaves out.
    static readonly HashSet<string> NoInputs = new(StringComparer.OrdinalIgnoreCase)
    {
        "DefaultItemExcludes", "DefaultItemExcludesInProjectFolder", "DefaultExcludesInProjectFolder",
        "PackageReadmeFile", "PackageIcon", "PackageLicenseFile", "SolutionPath", "SolutionFileName",
    };

    // Items whose names are no paths.
    static readonly HashSet<string> NoPaths = new(StringComparer.OrdinalIgnoreCase)
    {
        "PackageReference", "PackageVersion", "GlobalPackageReference", "PackageDownload", "FrameworkReference",
        "Using", "InternalsVisibleTo", "SourceRoot", "AssemblyAttribute", "ProjectReference", "Folder",
        "ProjectReferenceWithConfiguration", "_MSBuildProjectReferenceExistent",
    };

    const string Beside = "beside a referenced assembly";

    readonly Tree tree;
    readonly HashSet<string> doubtful;

    public Inputs(Tree tree, HashSet<string> doubtful)
    {
        this.tree = tree;
        this.doubtful = doubtful.Select(d => tree.Root + d).ToHashSet();
    }

    public void Collect(Project project)
    {
        if (project.Instance == null)
        {
            project.Reads.Everything(Phase.Evaluation, "MSBuild cannot evaluate it: " + project.Error.Message);
            return;
        }
        foreach (var import in project.Imports)
            project.Reads.File(import, Phase.Evaluation, import == project.Path ? "the project" : "import");
        Collect(project, project.Instance);
    }

    /// <summary>The same for an instance of the project after its targets have run.</summary>
    public void Collect(Project project, ProjectInstance instance)
    {
        Collect(project, instance.Items);
        foreach (var type in instance.ItemDefinitions.Where(d => instance.GetItems(d.Key).Count > 0))
            foreach (var metadata in type.Value.Metadata) Metadata(project, type.Key, metadata);
        foreach (var property in instance.Properties) Property(project, property);
    }

    public void Collect(Project project, IEnumerable<ProjectItemInstance> items)
    {
        foreach (var item in items) Item(project, item);
    }

    /// <summary>The files right in the folders above a project, where programs look for settings by name.</summary>
    public void Above(Project project, string why)
    {
        for (var folder = Path.GetDirectoryName(project.Folder); tree.IsIn(folder + "/");)
        {
            Right(project, folder, why);
            folder = Path.GetDirectoryName(folder);
        }
    }

    /// <summary>
    /// What a program that is given the folder of a project may read beyond it: settings in the folders above, or the
    /// state of the repository.
    /// </summary>
    public void Given(Project project, string why)
    {
        Above(project, why);
        Repository(project, why);
    }

    /// <summary>
    /// Takes everything if a program can ask git which files differ from the last commit: what is left out would count
    /// as deleted. By default, .git itself is left out.
    /// </summary>
    public void Repository(Project project, string why)
    {
        for (var folder = project.Folder; tree.IsIn(folder + "/"); folder = Path.GetDirectoryName(folder))
            if (tree.HasFolder(folder + "/.git") || tree.HasFile(folder + "/.git"))
                project.Reads.Everything(Phase.Build, why + ", which can compare the files with git's");
    }

    /// <summary>The files right in a folder, except doubtful ones.</summary>
    public void Right(Project project, string folder, string why)
    {
        foreach (var file in Directory.EnumerateFiles(folder))
            if (!doubtful.Contains(file)) project.Reads.File(file, Phase.Build, why);
    }

    /// <summary>All that is below a folder; everything, if the project is in it, too.</summary>
    public void Below(Project project, string folder, string why)
    {
        var own = folder == project.Folder + "/";
        if (own && project.Reads.Least == Phase.Build) return;
        if (!own && project.Path.StartsWith(folder)) project.Reads.Everything(Phase.Build, why);
        else project.Reads.Folder(folder, Phase.Build, why);
    }

    /// <summary>What a pattern can match: all that is below the folder before the wildcard.</summary>
    public void Pattern(Project project, string folder, string word, string why)
    {
        var at = word.IndexOfAny("*?[{".ToCharArray());
        if (at < 0) return;
        var before = word.Substring(0, word.LastIndexOfAny("/\\".ToCharArray(), at) + 1);
        if (project.Reads.Find(folder, before) is { } path && path.EndsWith('/')) Below(project, path, why);
    }

    /// <summary>
    /// What lists had that lose items in the end. Others may have the names of what was in them, without the paths.
    /// </summary>
    public void Emptied(Project project, IEnumerable<ProjectItemElement> elements)
    {
        elements = elements.ToList();
        var emptied = Expressions.Later(elements.SelectMany(e => e.Metadata.Prepend<ProjectElement>(e)))
            .Select(e => e.ItemType)
            .ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var element in elements.Where(e => e.Include != "" && emptied.Contains(e.ItemType)))
            foreach (var word in Project.List(project.Expand(Expressions.Here(element.Include, element))))
                if (FileOf(project, word) is { } path)
                    project.Reads.File(path, Phase.Build, element.ItemType + " item");
                else Pattern(project, project.Folder, word.Replace('\\', '/'), element.ItemType + " item");
    }

    // Whether to list a file: a build reads the folder of the project as a whole anyway, except doubtful files in it.
    bool Tells(Project project, string path) => !path.StartsWith(project.Folder + "/") || doubtful.Contains(path) ||
        project.Reads.Least == Phase.Evaluation;

    void Item(Project project, ProjectItemInstance item)
    {
        if (!NoPaths.Contains(item.ItemType) && project.Reads.Find(project.Folder, item.EvaluatedInclude) is { } path)
            Named(project, item, path);
        if (Is(item.ItemType, "EmbeddedResource")) ClassOf(project, item);
        if (Is(item.ItemType, "Reference") && FileOf(project, item.EvaluatedInclude) is { } assembly)
            Assemblies(project, Path.GetDirectoryName(assembly), Beside);
        if (item.DirectMetadataCount == 0) return; // those of ItemDefinitionGroup are taken once for all items
        foreach (var metadata in item.Metadata) Metadata(project, item.ItemType, metadata);
    }

    void Metadata(Project project, string itemType, ProjectMetadataInstance metadata)
    {
        var value = metadata.EvaluatedValue;
        if (value.Length < 3 || value.AsSpan().IndexOfAny("./\\") < 0) return;
        foreach (var part in Project.List(value))
        {
            if (FileOf(project, part) is not { } named) continue;
            if (Tells(project, named)) project.Reads.File(named, Phase.Build, metadata.Name + " of " + itemType);
            if (Is(itemType, "Reference")) Assemblies(project, Path.GetDirectoryName(named), Beside);
        }
    }

    static bool Is(string itemType, string name) => itemType.Equals(name, StringComparison.OrdinalIgnoreCase);

    // An item that is a file or a folder.
    void Named(Project project, ProjectItemInstance item, string path)
    {
        var why = item.ItemType + " item";
        if (!path.EndsWith('/'))
        {
            if (!Tells(project, path) || !Matters(item) && !project.UsesNone) return;
            project.Reads.File(path, Phase.Build, why);
            if (IsCandidate(item, path)) Assemblies(project, Path.GetDirectoryName(path), Beside);
        }
        else if (!project.Path.StartsWith(path) && OfAuthor(item)) project.Reads.Folder(path, Phase.Build, why);
    }

    // ResolveAssemblyReference also looks for a Reference without a path among these items (CandidateAssemblyFiles).
    static bool IsCandidate(ProjectItemInstance item, string path) => item.ItemType is "None" or "Content" &&
        Path.GetExtension(path).ToLowerInvariant() is ".dll" or ".exe";

    // The name of a resource comes from the class in a source beside it (CreateCSharpManifestResourceName).
    void ClassOf(Project project, ProjectItemInstance resource)
    {
        if (!resource.EvaluatedInclude.EndsWith(".resx", StringComparison.OrdinalIgnoreCase) ||
            FileOf(project, resource.EvaluatedInclude) is not { } path) return;
        var stem = Path.Combine(Path.GetDirectoryName(path), Path.GetFileNameWithoutExtension(path));
        var names = new[] { stem, Path.ChangeExtension(stem, null) } // with and without a culture
            .SelectMany(s => new[] { s + ".cs", s + ".vb" })
            .Append(Path.Combine(Path.GetDirectoryName(path), resource.GetMetadataValue("DependentUpon")));
        foreach (var source in names.Where(n => tree.HasFile(n) && Tells(project, n)))
            project.Reads.File(source, Phase.Build, "names a resource");
    }

    static string FileOf(Project project, string text) =>
        project.Reads.Find(project.Folder, text) is { } path && !path.EndsWith('/') ? path : null;

    // The SDK makes a file in the folder of a project an item None (Microsoft.NET.Sdk.DefaultItems.props). Such an item
    // does nothing, unless it is copied or the author has added it.
    static bool Matters(ProjectItemInstance item) =>
        item.ItemType != "None" || Copied(item, "CopyToOutputDirectory") || Copied(item, "CopyToPublishDirectory") ||
        OfAuthor(item);

    static bool OfAuthor(ProjectItemInstance item) =>
        !item.GetMetadataValue("DefiningProjectFullPath").StartsWith(Sdk.Root + "/");

    static bool Copied(ProjectItemInstance item, string where) =>
        item.GetMetadataValue(where).ToLowerInvariant() is "always" or "preservenewest" or "ifdifferent";

    // ResolveAssemblyReference takes what an assembly needs from its folder, with symbols, documentation, and
    // satellites in folders of cultures.
    static void Assemblies(Project project, string folder, string why)
    {
        foreach (var file in Directory.EnumerateFiles(folder)) project.Reads.File(file, Phase.Build, why);
        foreach (var culture in Directory.EnumerateDirectories(folder))
            foreach (var file in Directory.EnumerateFiles(culture, "*.resources.dll"))
                project.Reads.File(file, Phase.Build, why);
    }

    void Property(Project project, ProjectPropertyInstance property)
    {
        var value = property.EvaluatedValue;
        if (value.Length < 2 || value.AsSpan().IndexOfAny("./\\") < 0 || value.StartsWith(Sdk.Root)) return;
        if (property.Name.StartsWith("MSBuild") || NoInputs.Contains(property.Name)) return;
        bool Begins(string with) => property.Name.StartsWith(with, StringComparison.OrdinalIgnoreCase);
        // Properties with these names say what restore reads (NuGet.targets).
        var restore = Begins("Restore") || Begins("NuGet");
        foreach (var part in Project.List(value))
        {
            if (project.Reads.Find(project.Folder, part) is not { } path) continue;
            var why = "property " + property.Name;
            if (!path.EndsWith('/'))
            {
                if (restore || Tells(project, path))
                    project.Reads.File(path, restore ? Phase.Evaluation : Phase.Build, why);
            }
            else if (restore && !project.Path.StartsWith(path)) project.Reads.Folder(path, Phase.Evaluation, why);
            else if (property.Name.Equals("AssemblySearchPaths", StringComparison.OrdinalIgnoreCase))
                Assemblies(project, path, why);
        }
    }
}
