using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.Build.Construction;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>Project files that have sets of copies of their targets, until this is disposed of.</summary>
sealed class CopiedFiles : IDisposable
{
    readonly List<(ProjectRootElement File, string InitialTargets)> files = new();
    readonly List<ProjectElement> added = new();

    /// <param name="files">Project files. Those that have no targets stay as they are.</param>
    /// <param name="own">Those of them that belong to the repository.</param>
    /// <param name="late">Item lists, properties and metadata that only a build has, or has all of.</param>
    /// <remarks>
    /// The value of a condition in a target depends on what has run before, so there are copies with and without
    /// conditions. Only targets of the repository get a set for each of their values, as each set takes time.
    /// </remarks>
    public CopiedFiles(
        IEnumerable<ProjectRootElement> files, IEnumerable<ProjectRootElement> own, HashSet<string> late)
    {
        Sets.Add(new Copies("With", conditions: true, without: 0, late));
        for (var without = Copies.Most(own); without >= 0; without--)
            Sets.Add(new Copies("Without" + without, conditions: false, without, late));
        foreach (var file in files.Where(f => f.Targets.Count > 0))
        {
            this.files.Add((file, file.InitialTargets));
            file.InitialTargets = ""; // they would run for real
            added.Add(file.AddUsingTask(nameof(CrosshullRecord), typeof(CrosshullRecord).Assembly.Location, null));
            var targets = file.Targets.ToList();
            foreach (var set in Sets) added.AddRange(targets.Select(target => set.Add(file, target)));
        }
    }

    /// <summary>The sets, in the order in which they run.</summary>
    public List<Copies> Sets { get; } = new();

    public void Dispose()
    {
        foreach (var element in added) element.Parent.RemoveChild(element);
        foreach (var (file, initialTargets) in files) file.InitialTargets = initialTargets;
    }
}

/// <summary>
/// A set of copies of targets. Each has another name, and a recorder in place of its tasks. It lacks what decides
/// whether and when the target runs.
/// </summary>
sealed class Copies
{
    // Tasks that work on items and properties alone, or read a file that is then seen (see Trap): they run.
    static readonly HashSet<string> Pure = new(StringComparer.OrdinalIgnoreCase)
    {
        "CreateItem", "CreateProperty", "AssignTargetPath", "RemoveDuplicates", "ConvertToAbsolutePath",
        "FindUnderPath", "CombinePath", "ReadLinesFromFile", "XmlPeek", "FindInList", "AssignCulture", "GetFileHash",
        "Hash",
    };

    // Those of them that read files. Trap does not see that they read a file that has contents from the start, such as
    // global.json.
    static readonly HashSet<string> Reading = new(StringComparer.OrdinalIgnoreCase)
    {
        "ReadLinesFromFile", "XmlPeek", "GetFileHash",
    };

    // Properties that no target sets.
    static readonly HashSet<string> Fixed = new(StringComparer.OrdinalIgnoreCase)
    {
        "OS", "Configuration", "Platform", "TargetFramework", "TargetFrameworks", "MSBuildProjectName",
        "MSBuildProjectExtension", "MSBuildRuntimeType", "BuildingInsideVisualStudio", "DesignTimeBuild", "OutputType",
    };

    // More values of one property are unusual. The last ones and the first ones are enough then.
    const int MostValues = 6;

    readonly string prefix;
    readonly bool conditions;
    readonly int without;
    readonly HashSet<string> late;
    readonly Dictionary<string, ProjectTargetElement> originals = new();

    /// <param name="name">A word that no other set has.</param>
    /// <param name="conditions">Whether items and properties keep their conditions.</param>
    /// <param name="without">
    /// Without conditions, the last of several values of a property or metadata wins. As many of them are left out.
    /// </param>
    /// <param name="late">Item lists, properties and metadata that only a build has, or has all of.</param>
    public Copies(string name, bool conditions, int without, HashSet<string> late)
    {
        this.late = late;
        prefix = "_Crosshull_" + name + "_";
        this.conditions = conditions;
        this.without = without;
    }

    /// <summary>Whether a task runs in a copy, with the same outputs as in a build.</summary>
    public static bool Runs(ProjectTaskElement task) => Pure.Contains(task.Name);

    /// <summary>The parameters of a task that runs in a copy that name the files it reads.</summary>
    public static IEnumerable<string> Read(ProjectTaskElement task) => Reading.Contains(task.Name)
        ? new[] { "File", "Files", "XmlInputPath" }.Select(task.GetParameter).Where(value => value != "")
        : Enumerable.Empty<string>();

    /// <summary>The name of the target that was copied.</summary>
    public string Original(string name) => originals[name].Name;

    /// <summary>The names of the copies that a project has, each behind those that run before it in a build.</summary>
    public List<string> Ordered(ProjectInstance project)
    {
        var ignoreCase = StringComparer.OrdinalIgnoreCase;
        var byName = originals.Where(o => project.Targets.ContainsKey(o.Key))
            .ToLookup(o => o.Value.Name, o => o.Key, ignoreCase);
        string[] Names(string list) => Project.List(project.ExpandString(list));
        var hooked = byName.SelectMany(same => same)
            .SelectMany(copy => Names(originals[copy].BeforeTargets).Select(target => (target, copy)))
            .ToLookup(h => h.target, h => h.copy, ignoreCase);
        var order = new List<string>();
        var seen = new HashSet<string>();
        void Add(string copy)
        {
            if (!seen.Add(copy)) return;
            var target = originals[copy];
            foreach (var before in Names(target.DependsOnTargets + ";" + target.AfterTargets).SelectMany(n => byName[n])
                .Concat(hooked[target.Name])) Add(before);
            order.Add(copy);
        }
        foreach (var same in byName)
            foreach (var copy in same) Add(copy);
        return order;
    }

    /// <summary>Adds a copy to a file.</summary>
    public ProjectTargetElement Add(ProjectRootElement file, ProjectTargetElement target)
    {
        var copy = file.CreateTargetElement(prefix + originals.Count + "_" + target.Name);
        var name = copy.Name;
        originals[name] = target;
        file.AppendChild(copy);
        copy.DeepCopyFrom(target);
        copy.Name = name;
        copy.BeforeTargets = copy.AfterTargets = copy.DependsOnTargets = copy.Inputs = copy.Outputs = "";
        if (!IsFixed(target.Condition)) copy.Condition = "";
        copy.Returns = null;
        // Metadata in any of these make MSBuild run a target once for each batch of items. A target without Inputs is
        // never up to date.
        var batched = string.Join(";", target.Inputs, target.Outputs, target.Returns);
        if (batched.Contains("%(")) copy.Outputs = batched;
        var children = copy.Children.ToList().Zip(target.Children).ToList();
        foreach (var values in Choices(copy).ToList())
            foreach (var value in values.TakeLast(without)) value.Parent.RemoveChild(value);
        foreach (var (child, original) in children) Child(child, original);
        var first = copy.FirstChild;
        if (target.Inputs != "")
            Record("Inputs", new() { KeyValuePair.Create("Inputs", target.Inputs) }, target.Location, first, copy);
        if (target.Inputs != "" && target.Outputs != "" && target.Tasks.All(CanRun))
        {
            var files = new[] { ("Inputs", target.Inputs), ("Outputs", target.Outputs) };
            Record("Makes", files.Select(f => KeyValuePair.Create(f.Item1, f.Item2)).ToList(), target.Location, first,
                copy);
        }
        foreach (var text in Expressions.Existing(target.Condition)) Exists(text, "", target.Location, first, copy);
        return copy;
    }

    /// <summary>
    /// How many values of one property or metadata a target of a file has, of which a build takes one by what exists
    /// then, or by what other targets set; 0 if no target has several.
    /// </summary>
    public static int Most(IEnumerable<ProjectRootElement> files)
    {
        var counts = files.SelectMany(f => f.Targets).SelectMany(Choices).Select(c => c.Count()).DefaultIfEmpty();
        return Math.Min(MostValues, counts.Max());
    }

    static IEnumerable<IEnumerable<ProjectElement>> Choices(ProjectTargetElement target) =>
        (from element in target.AllChildren
        where element is ProjectPropertyElement or ProjectMetadataElement && IsOpen(element)
        group element by (element is ProjectMetadataElement ? element.Parent : null, element.ElementName) into values
        where values.Count() > 1
        select values).ToList();

    static bool IsOpen(ProjectElement element)
    {
        var condition = element.Condition + element.Parent.Condition;
        return !IsFixed(condition) && (condition.Contains("@(") || Expressions.Existing(condition).Any());
    }

    // Whether the SDK has all that a task needs. Most commands need programs that it lacks, and their authors rely on
    // what the repository has of the outputs.
    static bool CanRun(ProjectTaskElement task) => !task.Name.Equals("Exec", StringComparison.OrdinalIgnoreCase) ||
        task.GetParameter("Command").TrimStart().StartsWith("dotnet ");

    // A part of a target: a task, or a group of properties or items.
    void Child(ProjectElement copy, ProjectElement original)
    {
        var target = copy.Parent;
        var parts = (original as ProjectElementContainer)?.AllChildren ?? Enumerable.Empty<ProjectElement>();
        var looks = parts.Append(original)
            .SelectMany(part => Texts(part).SelectMany(Expressions.Existing).Select(text => (text, Lists(part, text))))
            .Distinct().ToList();
        // What such an expression names may be set before the group, or in it.
        foreach (var (text, lists) in looks)
        {
            Exists(text, lists, original.Location, copy, target);
            if (copy is not ProjectTaskElement) Exists(text, lists, original.Location, copy.NextSibling, target);
        }
        if (copy is ProjectTaskElement task) Replace(task, (ProjectTaskElement)original);
        else if (copy is ProjectOnErrorElement) target.RemoveChild(copy);
        else if (!conditions) Strip((ProjectElementContainer)copy);
        if (copy is ProjectItemGroupElement items) Keep(items);
    }

    // A target may take items away once other lists have their names. What is read is then not to be seen.
    static void Keep(ProjectItemGroupElement group)
    {
        var target = (ProjectTargetElement)group.Parent;
        foreach (var item in Expressions.Later(target.AllChildren).ToList())
            if (item.Parent == group && item.Condition == "") group.RemoveChild(item);
    }

    static IEnumerable<string> Texts(ProjectElement element) => element switch
    {
        ProjectTaskElement task => task.Parameters.Values.Append(task.Condition),
        ProjectPropertyElement property => new[] { property.Value, property.Condition },
        ProjectItemElement item => new[] { item.Include, item.Exclude, item.Remove, item.Condition },
        ProjectMetadataElement metadata => new[] { metadata.Value, metadata.Condition },
        _ => new[] { element.Condition },
    };

    // A condition on each item of a list stays, because it makes batches. But then nothing is removed, as all items
    // would be if the condition asks for an output.
    void Strip(ProjectElementContainer group)
    {
        foreach (var element in group.AllChildren.Append(group).ToList())
            if (element is ProjectItemElement { Remove: not "" } && !IsKnown(element.Condition))
                group.RemoveChild(element);
            else Open(element);
    }

    void Open(ProjectElement element)
    {
        if (!IsFixed(element.Condition)) element.Condition = Opened(element);
    }

    // What is left of a condition that is not fixed. It cannot choose among items that are not there yet.
    string Opened(ProjectElement element)
    {
        var condition = element.Condition;
        var used = Expressions.Used(condition + Lists(element, condition));
        return !condition.Contains("%(") || used.Any(late.Contains) ? Expressions.Batching(condition) : condition;
    }

    // Whether a condition has a fixed value, perhaps one for each item of a list.
    static bool IsKnown(string condition) => IsFixed(condition.Replace("%(", "("));

    // Whether a condition has the same value before any target has run.
    static bool IsFixed(string condition) => !condition.Contains("@(") && !condition.Contains("%(") &&
        !Expressions.Existing(condition).Any() && Expressions.Used(condition).All(Fixed.Contains);

    void Replace(ProjectTaskElement task, ProjectTaskElement original)
    {
        if (Runs(task)) task.ContinueOnError = "true";
        if (Runs(task) && !conditions) Open(task);
        if (Runs(task) && !Reading.Contains(task.Name)) return;
        // Even where a task reads nothing, an expression in its parameters may.
        var record = Record(task.Name, task.Parameters.ToList(), original.Location, task, task.Parent);
        record.Condition = IsFixed(original.Condition) ? original.Condition : Opened(original);
        if (!Runs(task)) task.Parent.RemoveChild(task);
    }

    /// <summary>
    /// The item lists that metadata without an item type in a text belong to: those in the same element. The recorder
    /// needs these, too.
    /// </summary>
    public static string Lists(ProjectElement part, string text)
    {
        if (!Expressions.HasUnqualified(text)) return "";
        var item = part as ProjectItemElement ?? part.Parent as ProjectItemElement;
        var beside = item == null ? string.Concat(Texts(part))
            : item.Include == "" ? $"@({item.ItemType})" : item.Include;
        return string.Join(";", Expressions.Lists(beside));
    }

    static void Exists(
        string text, string lists, ElementLocation place, ProjectElement before, ProjectElementContainer target)
    {
        if (text == "") return;
        var parameters = new List<KeyValuePair<string, string>> { KeyValuePair.Create("Condition", text) };
        if (lists != "") parameters.Add(KeyValuePair.Create("Lists", lists));
        Record("Exists", parameters, place, before, target);
    }

    static ProjectTaskElement Record(
        string task, List<KeyValuePair<string, string>> parameters, ElementLocation place, ProjectElement before,
        ProjectElementContainer target)
    {
        var record = target.ContainingProject.CreateTaskElement(nameof(CrosshullRecord));
        if (before == null) target.AppendChild(record);
        else target.InsertBeforeChild(record, before);
        record.SetParameter("Task", task);
        record.SetParameter("Place", place.File + ":" + place.Line);
        record.SetParameter("Names", string.Join(";", parameters.Select(p => p.Key)));
        foreach (var (p, i) in parameters.Take(CrosshullRecord.Most).Select((p, i) => (p, i)))
            record.SetParameter("P" + i, p.Value);
        return record;
    }
}
