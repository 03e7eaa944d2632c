using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.Build.Construction;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>
/// Finds what the targets of a repository and of packages read while they run, without running them: MSBuild runs
/// copies of them that record what their tasks would get, see <see cref="Copies"/> and <see cref="Calls"/>. If a target
/// of the repository reads what only a run can tell, that may be anything, see <see cref="Doubts"/>. Targets of
/// packages get no such doubts: they mostly make these values from what they write themselves.
/// </summary>
sealed class Targets
{
    readonly Tree tree;
    readonly Evaluator evaluator;
    readonly Trap trap;
    readonly BuildManager builds;
    readonly Inputs inputs;
    readonly NamedFiles named;
    readonly Dictionary<ProjectRootElement, Late> set = new();
    readonly Dictionary<ProjectRootElement, HashSet<string>> used = new();

    public Targets(
        Tree tree, Evaluator evaluator, Trap trap, BuildManager builds, Inputs inputs, NamedFiles named)
    {
        this.named = named;
        this.tree = tree;
        this.evaluator = evaluator;
        this.trap = trap;
        this.builds = builds;
        this.inputs = inputs;
    }

    /// <summary>Adds what the project's own targets read; gives the projects that they build by task MSBuild.</summary>
    public List<Built> Record(Project project)
    {
        var own = evaluator.Parsed(project.Imports);
        var files = own.Concat(evaluator.Parsed(project.PackageImports)).ToList();
        var calls = new Calls(project, tree, inputs, named, own.SelectMany(f => f.UsingTasks));
        if (project.Instance == null) return calls.Built;
        calls.TakeEvents(project.Instance);
        var restoring = files.All(f => f.Targets.Count == 0) ? new() : Restoring.Targets(
            project.Instance, evaluator.Parsed(project.Instance.ImportPaths.Append(project.Path)));
        Deciding(project, own, Restoring.Lists(own, restoring));
        if (files.All(f => f.Targets.Count == 0)) return calls.Built;
        var targets = own.SelectMany(f => f.Targets).ToList();
        project.InRestore = targets.Any(t => restoring.Contains(t.Name));
        var late = targets.Count > 0 ? LateOf(project) : Late.None;
        var doubts = new Doubts(
            targets, late.Properties, type => Foreign(project).Any(file => Used(file).Contains(type)));
        doubts.Tell((target, why) => project.Reads.Everything(PhaseOf(target, restoring), why), tree.Root);
        var indirect = files.SelectMany(f => f.Targets).Any(t => t.OuterElement.Contains("ProjectReference"))
            ? Indirect(project) : new();
        using (var copied = new CopiedFiles(files, own, Coming(project, late, doubts)))
            Record(project, copied, restoring, calls, indirect);
        foreach (var same in targets.ToLookup(t => PhaseOf(t, restoring)))
        {
            project.Reads.Least = same.Key;
            Composed(project, targets, same.SelectMany(t => t.AllChildren.Prepend(t)), late, doubts);
            project.Reads.Least = Phase.Build;
        }
        foreach (var target in targets.Where(t => !string.IsNullOrEmpty(t.Returns))) Returned(project, target);
        return calls.Built;
    }

    static Phase PhaseOf(ProjectTargetElement target, HashSet<string> restoring) =>
        restoring.Contains(target.Name) ? Phase.Evaluation : Phase.Build;

    // A restore needs the items of lists that decide what it brings, with the names that are in them.
    void Deciding(Project project, List<ProjectRootElement> own, HashSet<string> lists)
    {
        project.Reads.Least = Phase.Evaluation;
        inputs.Collect(project, lists.SelectMany(project.Items));
        inputs.Emptied(project, own.SelectMany(f => f.Items).Where(i => lists.Contains(i.ItemType)));
        project.Reads.Least = Phase.Build;
    }

    // What has its value, or all its items, only after targets of the SDK have run: FileVersion, or
    // ResolvedFileToPublish.
    Late LateOf(Project project)
    {
        var files = Foreign(project).Select(Set).ToList();
        return new Late(
            Names(files.SelectMany(f => f.Properties).Where(name => project[name] == "")),
            Names(files.SelectMany(f => f.Items)));
    }

    // The files of the SDK and of packages.
    List<ProjectRootElement> Foreign(Project project) =>
        evaluator.Parsed(project.Instance.ImportPaths.Where(p => !tree.HasFile(p)));

    // What conditions cannot choose by before a build: lists that are empty until then, and what comes from them.
    static HashSet<string> Coming(Project project, Late late, Doubts doubts)
    {
        var empty = Names(late.Properties.Concat(late.Items.Where(name => !project.Items(name).Any())));
        empty.UnionWith(doubts.Made(e => IsMade(project, project.Instance, e), empty));
        return empty;
    }

    // The properties and items that targets of a file set.
    Late Set(ProjectRootElement file)
    {
        if (!set.TryGetValue(file, out var names))
        {
            var elements = file.Targets.SelectMany(t => t.AllChildren).ToList();
            set[file] = names = new Late(
                Names(elements.Select(e =>
                    (e as ProjectPropertyElement)?.Name ?? (e as ProjectOutputElement)?.PropertyName)),
                Names(elements.Select(ItemType)));
        }
        return names;
    }

    // The names of properties, items and metadata that a file uses.
    HashSet<string> Used(ProjectRootElement file)
    {
        if (!used.TryGetValue(file, out var names)) used[file] = names = Names(Expressions.Used(file.RawXml));
        return names;
    }

    static string ItemType(ProjectElement element) =>
        (element as ProjectItemElement)?.ItemType ?? (element as ProjectOutputElement)?.ItemType;

    static HashSet<string> Names(IEnumerable<string> names) =>
        names.Where(name => !string.IsNullOrEmpty(name)).ToHashSet(StringComparer.OrdinalIgnoreCase);

    sealed record Late(HashSet<string> Properties, HashSet<string> Items)
    {
        public static readonly Late None = new(new(), new());
    }

    // Paths with properties or metadata of items that targets of the SDK make, or that come from what a build makes.
    // Such a path can lead to any file of its folder, also if the project itself has some of the items.
    void Composed(
        Project project, List<ProjectTargetElement> targets, IEnumerable<ProjectElement> elements, Late late,
        Doubts doubts)
    {
        var own = Names(targets.SelectMany(t => t.AllChildren).Select(ItemType));
        var ran = project.Ran ?? project.Instance;
        var made = doubts.Made(e => IsMade(project, ran, e), Names(late.Properties.Concat(late.Items)));
        bool IsLate(string name, bool property) => made.Contains(name) || (property
            ? late.Properties.Contains(name)
            : late.Items.Contains(name) || !own.Contains(name) && !project.Items(name).Any());
        foreach (var element in elements)
            foreach (var (name, property, before) in Read(element).SelectMany(text => Paths(element, text)))
            {
                if (!IsLate(name, property)) continue;
                var path = Outputs.Expand(ran, Expressions.Here(before, element));
                path = path.Substring(0, path.LastIndexOf('/') + 1);
                if (path == "" || project.Reads.Find(project.Folder, path) is not { } folder) continue;
                var why = (property ? "path with property " : "path with metadata of ") + name + " in " +
                    Path.GetRelativePath(tree.Root, element.Location.File) + ":" + element.Location.Line;
                inputs.Below(project, folder, why);
            }
    }

    static IEnumerable<(string Name, bool IsProperty, string Before)> Paths(ProjectElement element, string text) =>
        from path in Expressions.Paths(text)
        where !path.IsProperty || element is not ProjectPropertyElement || Looked(element).Contains(text)
        from name in path.Name != "" ? new[] { path.Name } : Expressions.Used(Copies.Lists(element, text))
        select (name, path.IsProperty, path.Before);

    // Whether a build gives an element of a target more than its copy: the outputs of a task that does not run in the
    // copy, or lines of a file and names of files that are not in the context.
    static bool IsMade(Project project, ProjectInstance ran, ProjectElement element)
    {
        IEnumerable<string> Words(string text) => Project.List(Outputs.Expand(ran, Expressions.Here(text, element)));
        bool IsThere(string path) => project.Reads.Find(project.Folder, path) != null;
        if (element is ProjectOutputElement { Parent: ProjectTaskElement task })
            return !Copies.Runs(task) || Copies.Read(task).SelectMany(Words).Any(w => !w.Contains("%(") && !IsThere(w));
        return element is ProjectItemElement item && Words(item.Include).Any(word =>
            word.IndexOfAny("*?".ToCharArray()) is >= 0 and var wildcard && !word.Contains("%(") &&
            word.LastIndexOf('/', wildcard) is >= 0 and var slash && !IsThere(word.Substring(0, slash + 1)));
    }

    // A project that calls a target may look into folders that the target returns, by itself or as metadata of items.
    void Returned(Project project, ProjectTargetElement target)
    {
        var ran = project.Ran ?? project.Instance;
        var metadata =
            from name in Expressions.Used(target.Returns)
            from item in ran.GetItems(name)
            from value in item.Metadata
            select value.EvaluatedValue;
        foreach (var value in Project.List(Outputs.Expand(ran, target.Returns)).Concat(metadata))
            if (project.Reads.Find(project.Folder, value) is { } path && path.EndsWith('/'))
                inputs.Below(project, path, "returned by target " + target.Name);
    }

    static IEnumerable<string> Read(ProjectElement element) => Looked(element).Concat(element switch
    {
        ProjectItemElement item => new[] { item.Include },
        ProjectMetadataElement metadata => new[] { metadata.Value },
        ProjectPropertyElement property => new[] { property.Value },
        ProjectTaskElement task => Calls.Given(task),
        _ => Enumerable.Empty<string>(),
    });

    /// <summary>The paths that an element of a target looks for, by Exists.</summary>
    public static IEnumerable<string> Looked(ProjectElement element) =>
        Expressions.Existing(element.Condition + " " + (element as ProjectPropertyElement)?.Value);

    // What the references of a project reference in turn. A restore finds that out, and a target of the SDK adds it to
    // the list (IncludeTransitiveProjectReferences).
    List<string> Indirect(Project project)
    {
        var direct = References(project.Instance).ToHashSet();
        var indirect = new HashSet<string>();
        var seen = new HashSet<string> { project.Path };
        void Add(Project from)
        {
            foreach (var item in from.Items("ProjectReference"))
                if (item.GetMetadataValue("FullPath") is var path && tree.HasFile(path))
                {
                    if (!direct.Contains(path)) indirect.Add(path);
                    if (seen.Add(path)) Add(evaluator.Evaluate(path, Once.GlobalsOf(from, item)));
                }
        }
        if (!project.Is("DisableTransitiveProjectReferences")) Add(project);
        return indirect.ToList();
    }

    // Evaluates the project once with all copies, as that takes time, and runs each set on it as it is then.
    void Record(Project project, CopiedFiles files, HashSet<string> restoring, Calls calls, List<string> indirect)
    {
        var copied = new Project(project.Path, project.Globals, tree);
        evaluator.Evaluate(copied);
        if (copied.Instance == null) return;
        foreach (var reference in indirect) copied.Instance.AddItem("ProjectReference", reference);
        // Targets of the SDK copy the references to these lists.
        foreach (var item in copied.Instance.GetItems("ProjectReference").ToList())
            foreach (var type in Project.Referring.Skip(1))
                copied.Instance.AddItem(type, item.EvaluatedInclude,
                    item.Metadata.Select(m => KeyValuePair.Create(m.Name, m.EvaluatedValue)));
        var known = Kept(copied.Instance).Select(Evaluator.Line).ToHashSet();
        AppDomain.CurrentDomain.SetData("crosshull.record", calls.Recorder);
        foreach (var copies in files.Sets)
        {
            calls.Instance = project.Ran = copied.Instance.DeepCopy();
            Record(project, project.Ran, copies, restoring);
            calls.TakeMetadata();
            named.Take(project, project.Ran);
            calls.TakeEvents(project.Ran);
            project.Added.AddRange(Kept(project.Ran).Where(i => known.Add(Evaluator.Line(i))));
        }
    }

    void Record(Project project, ProjectInstance instance, Copies copies, HashSet<string> restoring)
    {
        var names = copies.Ordered(instance).ToArray();
        var first = names.Where(n => restoring.Contains(copies.Original(n))).ToArray();
        if (first.Length > 0)
        {
            project.ByRestore = true;
            var before = instance.Items.Select(Line).ToHashSet();
            project.Reads.Least = Phase.Evaluation;
            Run(project, instance, copies, first);
            inputs.Collect(project, instance.Items.Where(i => !before.Contains(Line(i))));
            project.Reads.Least = Phase.Build;
        }
        Run(project, instance, copies, names);
        inputs.Collect(project, instance); // the items and properties that targets make
    }

    static IEnumerable<ProjectItemInstance> Kept(ProjectInstance instance) =>
        Project.Kept.SelectMany(instance.GetItems);

    static IEnumerable<string> References(ProjectInstance project) =>
        project.GetItems("ProjectReference").Select(i => i.GetMetadataValue("FullPath"));

    static string Line(ProjectItemInstance item) => item.ItemType + " " + item.EvaluatedInclude;

    void Run(Project project, ProjectInstance instance, Copies copies, string[] names)
    {
        using var _ = trap.Read(project, project.Reads.Least);
        // The second time, each target finds what the targets after it in the files have set.
        for (var time = 0; time < 2; time++)
            if (!Run(instance, names))
                foreach (var name in names.Where(n => !Run(instance, n)))
                    project.Reads.Everything(
                        Phase.Build, "MSBuild cannot run a copy of its target " + copies.Original(name));
    }

    bool Run(ProjectInstance instance, params string[] names)
    {
        const BuildRequestDataFlags anew = BuildRequestDataFlags.ReplaceExistingProjectInstance |
            BuildRequestDataFlags.IgnoreExistingProjectState;
        return builds.BuildRequest(new BuildRequestData(instance, names, null, anew)).OverallResult ==
            BuildResultCode.Success;
    }
}
