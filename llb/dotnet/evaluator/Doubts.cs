using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.Build.Construction;

namespace Crosshull;

/// <summary>
/// Finds values that the XML of targets does not tell: a command prints them, or several targets set them in turn. A
/// task that gets such a value may read anything.
/// </summary>
sealed class Doubts
{
    // Items that the SDK or a package uses, but whose files it does not read.
    static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        "FileWrites", "FileWritesShareable", "Clean", "CustomAdditionalCompileInputs", "UpToDateCheckInput",
        "UpToDateCheckOutput", "UpToDateCheckBuilt", "AssemblyAttribute", "AssemblyMetadata", "InternalsVisibleTo",
        "Using", "SourceRoot", "RuntimeHostConfigurationOption",
    };

    /// <summary>
    /// A value that a target gives to a property ($), an item list (@), or metadata (%). Runs tells that the copy of
    /// the target gives it, too. IsBuilt tells that it is what a build has made.
    /// </summary>
    sealed record Setting(
        ProjectElement By, string Name, string Text, string Target, bool Runs, char Sign, bool IsBuilt = false);

    readonly List<ProjectTargetElement> targets;
    readonly List<Setting> settings;
    readonly HashSet<string> late, unknown, built;
    readonly Func<string, bool> isUsed;

    /// <param name="targets">The targets of the repository.</param>
    /// <param name="late">Properties that only targets of the SDK set.</param>
    /// <param name="isUsed">
    /// Whether the SDK or a package uses items of a type. Other items are only text until a task gets them.
    /// </param>
    public Doubts(List<ProjectTargetElement> targets, HashSet<string> late, Func<string, bool> isUsed)
    {
        this.isUsed = isUsed;
        this.targets = targets;
        this.late = late;
        settings = targets.SelectMany(Settings).ToList();
        unknown = From(settings.Where(s => !s.Runs), late);
        built = From(settings.Where(s => s.IsBuilt), new());
    }

    static IEnumerable<Setting> Settings(ProjectTargetElement target)
    {
        foreach (var e in target.AllChildren)
            switch (e)
            {
                case ProjectPropertyElement p:
                    yield return new(p, p.Name, p.Value + p.Condition + p.Parent.Condition, target.Name, true, '$');
                    break;
                case ProjectItemElement i:
                    yield return new(i, i.ItemType, i.Include, target.Name, true, '@');
                    break;
                case ProjectMetadataElement m:
                    yield return new(m, m.Name, m.Value, target.Name, true, '%');
                    break;
                case ProjectOutputElement o when o.Parent is ProjectTaskElement task:
                    var name = o.PropertyName + o.ItemType;
                    var runs = Copies.Runs(task) || Given(task, o.TaskParameter);
                    var built = o.TaskParameter.Equals("TargetOutputs", StringComparison.OrdinalIgnoreCase);
                    var sign = o.IsOutputItem ? '@' : '$';
                    yield return new(o, name, runs ? Text(task) : "", target.Name, runs, sign, built);
                    break;
            }
    }

    // Outputs that repeat what the task was given, or only say how it ended.
    static bool Given(ProjectTaskElement task, string parameter) =>
        parameter is "ExitCode" or "Outputs" or "CopiedFiles" or "DestinationFiles" or "MovedFiles" or "TouchedFiles" ||
        Calls.IsKnown(task.Name);

    static string Text(ProjectTaskElement task) => string.Join(" ", task.Parameters.Values) + task.Condition;

    // The names that settings give a value to, and those whose value comes from them or from others.
    HashSet<string> From(IEnumerable<Setting> first, HashSet<string> others)
    {
        var names = first.Select(s => s.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        bool Has(string name) => names.Contains(name) || others.Contains(name);
        while (settings.Any(s => Expressions.Used(s.Text).Any(Has) && names.Add(s.Name))) { }
        return names;
    }

    /// <summary>
    /// The names whose values a copy of a target lacks, because a build makes them: those that an element gives for
    /// which isMade is true, and those that come from them or from others.
    /// </summary>
    public HashSet<string> Made(Func<ProjectElement, bool> isMade, HashSet<string> others) =>
        From(settings.Where(s => isMade(s.By)), others);

    // Several targets set it to different values, so the value depends on which one ran last.
    bool ByTurns(string name, string target)
    {
        var of = settings.Where(s => s.Sign == '$' && s.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).ToList();
        return of.Select(s => s.Text).Distinct().Count() > 1 && of.Select(s => s.Target).Distinct().Count() > 1 &&
            of.All(s => s.Target != target);
    }

    /// <summary>Tells why it is not known what a target reads, with the place relative to root.</summary>
    public void Tell(Action<ProjectTargetElement, string> everything, string root)
    {
        foreach (var target in targets)
        {
            void Say(ProjectElement at, string why)
            {
                var file = Path.GetRelativePath(root, at.Location.File);
                everything(target, $"{why} in {file}:{at.Location.Line}");
            }
            foreach (var function in Expressions.Looking(target.OuterElement).Take(1)) Say(target, function);
            foreach (var e in target.AllChildren.Prepend(target))
                if (Use(string.Join(" ", Targets.Looked(e)), target) is { } looked)
                    Say(e, $"Exists with {looked}, whose value only a build gives,");
                else if (e is ProjectTaskElement task && !Calls.IsSilent(task.Name) &&
                    Use(Text(task), target) is { } used)
                    Say(task, $"{task.Name} with {used}, whose value only a build gives,");
                else if (e is ProjectTaskElement { Name: "Exec" } exec &&
                    Expressions.Used(Text(exec)).FirstOrDefault(built.Contains) is { } program)
                    Say(exec, $"Exec with @({program}), which a build makes,");
                else if (e is ProjectItemElement item && !Names.Contains(item.ItemType) &&
                    Use(item.Include, target) is { } of && isUsed(item.ItemType))
                    Say(item, $"{item.ItemType} item by {of}, whose value only a build gives,");
                else if (e is ProjectMetadataElement { Name: "HintPath" } hint && Use(hint.Value, target) is { } place)
                    Say(hint, $"HintPath by {place}, whose value only a build gives,");
        }
    }

    // The first property or item list in a text whose value is not known, as MSBuild writes it.
    string Use(string text, ProjectTargetElement target)
    {
        var name = Expressions.Used(text).FirstOrDefault(n => unknown.Contains(n) || ByTurns(n, target.Name));
        if (name == null) return null;
        var setting = settings.OrderBy(s => "@%$".IndexOf(s.Sign))
            .FirstOrDefault(s => s.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        return $"{setting?.Sign ?? '$'}({name})";
    }
}
