using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Microsoft.Build.Construction;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>Takes the calls of a project's tasks, and adds what each reads to what the project reads.</summary>
sealed class Calls
{
    // Tasks that read nothing.
    static readonly HashSet<string> Silent = new(StringComparer.OrdinalIgnoreCase)
    {
        "Message", "Warning", "Error", "Touch", "MakeDir", "Delete", "RemoveDir", "WriteLinesToFile", "Telemetry",
        "SetEnv",
    };

    // Tasks of MSBuild that read the files that they are given, and no more.
    static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        "Copy", "Move", "MSBuild", "CallTarget", "Csc", "Vbc", "Fsc", "ZipDirectory", "Unzip", "GenerateResource",
        "XslTransformation", "XmlPoke", "XmlPeek", "DownloadFile", "VerifyFileHash", "GetFileHash", "ReadLinesFromFile",
        "Exists", "Inputs",
    };

    // Their parameters for folders that are read as a whole: of Copy, and of ZipDirectory.
    static readonly string[] Sources = { "SourceFolders", "SourceDirectory" };

    // Properties with a command that a target of the SDK runs (Microsoft.Common.CurrentVersion.targets).
    static readonly string[] Events = { "PreBuildEvent", "PreLinkEvent", "PostBuildEvent" };

    // A value without anything that separates paths.
    static readonly Regex PlainPath = new(@"^[^-@\s=:,|;&<>()""'][^\s=:,|;&<>()""']*$");

    // What tasks that are not known got. These may be names of items, and the tasks then see their metadata.
    readonly Dictionary<string, Call> passed = new();

    readonly Project project;
    readonly Tree tree;
    readonly Inputs inputs;
    readonly NamedFiles named;
    readonly Commands commands;
    readonly HashSet<string> own;

    /// <param name="tasks">The declarations of tasks in the files of the repository.</param>
    public Calls(
        Project project, Tree tree, Inputs inputs, NamedFiles named, IEnumerable<ProjectUsingTaskElement> tasks)
    {
        this.project = project;
        this.tree = tree;
        this.inputs = inputs;
        this.named = named;
        commands = new Commands(project, tree, inputs, named);
        own = tasks.Where(IsOwn).Select(t => t.TaskName.Split('.').Last()).ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    // Whether the code of a task is in the repository, not in a package.
    static bool IsOwn(ProjectUsingTaskElement task) => task.TaskFactory != "" ||
        task.AssemblyFile != "" && !task.AssemblyFile.Contains("$(NuGetPackageRoot)") &&
        !task.AssemblyFile.Contains("$(Pkg");

    /// <summary>Takes the commands that properties of the project have, as an instance of it has them.</summary>
    public void TakeEvents(ProjectInstance instance)
    {
        foreach (var name in Events)
            if (instance.GetPropertyValue(name) is var command && command.Trim() != "")
                Take(new Call("Exec", project.Path + ":1", false, new() { ("Command", command) }, name));
    }

    public static bool IsSilent(string task) => Silent.Contains(task);
    public static bool IsKnown(string task) => Known.Contains(task);

    /// <summary>Projects that are built by task MSBuild.</summary>
    public List<Built> Built { get; } = new();

    /// <summary>The project with the copies of its targets; null for none.</summary>
    public ProjectInstance Instance { get; set; }

    /// <summary>What <see cref="CrosshullRecord"/> calls: task, place, names of parameters, and their values.</summary>
    public Action<string, string, string[], string[]> Recorder => (task, place, names, values) =>
        Take(new Call(task, place, !tree.HasFile(place.Substring(0, place.LastIndexOf(':'))),
            Pairs(names, values).ToList()));

    // There are more names than values if a task has more parameters than can be recorded.
    static IEnumerable<(string, string)> Pairs(string[] names, string[] values) =>
        names.Select((name, i) => (name, values.ElementAtOrDefault(i) ?? ""));

    void Everything(string why) => project.Reads.Everything(Phase.Build, why);

    void Take(Call call)
    {
        Writes(call);
        if (Silent.Contains(call.Task)) return;
        if (call.Is("Makes"))
        {
            Makes(call);
            return;
        }
        if (call.Is("Copy") && call["SkipUnchangedFiles"].Equals("true", StringComparison.OrdinalIgnoreCase))
            project.Earlier.UnionWith(Files(call, "SourceFiles"));
        project.RunsTools |= !call.IsKnown && !call.OfPackage;
        if (call.Is("Exists")) Exists(call["Condition"]);
        else if (call.Is("Exec")) commands.Take(call);
        else if (!call.OfPackage && own.Contains(call.Task.Split('.').Last()))
            Everything(call.Why(tree) + ", a task of the repository");
        else Task(call);
    }

    static bool IsDestination(string parameter) =>
        parameter.StartsWith("Destination", StringComparison.OrdinalIgnoreCase);

    /// <summary>What a task is given to read: no places that it copies to, and nothing if it reads nothing.</summary>
    public static IEnumerable<string> Given(ProjectTaskElement task) => IsSilent(task.Name)
        ? Enumerable.Empty<string>()
        : task.Parameters.Where(p => !IsDestination(p.Key)).Select(p => p.Value);

    // Parameters that name what a task writes.
    static bool IsWritten(Call call, string parameter) => IsDestination(parameter) ||
        call.Is("WriteLinesToFile") && parameter.Equals("File", StringComparison.OrdinalIgnoreCase) ||
        call.Is("Touch") && parameter.Equals("Files", StringComparison.OrdinalIgnoreCase);

    // A command or a task that is not known may write what is not there yet, and into folders.
    void Writes(Call call)
    {
        foreach (var (name, value) in call.Parameters)
            if (IsWritten(call, name))
                foreach (var word in Project.List(value)) Writes(word, inside: true);
            else if (!call.IsKnown && !IsSilent(call.Task))
                foreach (var word in Commands.Words(value).Where(IsPath)) Writes(word, inside: false);
    }

    void Writes(string word, bool inside)
    {
        if (project.Reads.Place(project.Folder, word)?.TrimEnd('/') is not { } path) return;
        if (IsInside(path) ? inside && !tree.HasFile(path) : (inside || !tree.HasFile(path)) && !IsAbove(path))
            project.Writes.Add(path);
    }

    bool IsAbove(string folder) => project.Path.StartsWith(folder + "/") && folder != project.Folder;

    // A file that a target makes, and that the repository has too. Some targets list an input among their outputs.
    void Makes(Call call)
    {
        if (call["Inputs"] != "") project.Earlier.UnionWith(Files(call, "Outputs").Except(Files(call, "Inputs")));
    }

    // The files of the context that a parameter names.
    IEnumerable<string> Files(Call call, string parameter) =>
        Project.List(call[parameter]).Select(word => project.Reads.Find(project.Folder, word))
            .Where(path => path != null && !path.EndsWith('/'));

    void Exists(string path)
    {
        if (project.Reads.Find(project.Folder, path) is { } found) project.Reads.Existence(found);
    }

    // A task reads what it is given. A task that is not known may also read what lies beside that.
    void Task(Call call)
    {
        if (call.Parameters.Count > CrosshullRecord.Most) Everything(call.Why(tree) + " has too many parameters");
        foreach (var word in call.Parameters.SelectMany(p => Project.List(p.Value)))
        {
            Setting(word, call);
            if (!call.IsKnown) passed.TryAdd(word, call);
        }
        foreach (var folder in Sources.SelectMany(name => Project.List(call[name])))
            if (project.Reads.Find(project.Folder, folder) is { } path && path.EndsWith('/'))
                inputs.Below(project, path, call.Why(tree));
        if (call.Is("MSBuild") || call.Is("CallTarget")) Build(call);
    }

    // What a setting names, by itself or in a part, as in --in=../a, and ../a,../b.
    void Setting(string setting, Call call)
    {
        var parts = call.IsKnown || PlainPath.IsMatch(setting) ? Enumerable.Empty<string>()
            : Commands.Words(setting).Where(IsPath);
        foreach (var word in parts.Prepend(setting))
            if (project.Reads.Find(project.Folder, word) is { } path)
                if (path.EndsWith('/')) Folder(path, call);
                else Read(path, call);
            else if (!call.IsKnown) inputs.Pattern(project, project.Folder, word, call.Why(tree));
    }

    static bool IsPath(string word) => word.Contains('/') || word.Contains('\\');

    /// <summary>Takes the metadata of items that tasks got, once the targets have run.</summary>
    public void TakeMetadata()
    {
        if (passed.Count == 0) return;
        foreach (var item in Instance.Items)
            if (passed.TryGetValue(item.EvaluatedInclude, out var call) ||
                passed.TryGetValue(item.GetMetadataValue("FullPath"), out call))
                foreach (var value in item.Metadata.SelectMany(m => Project.List(m.EvaluatedValue)).Where(IsPath))
                    Setting(value, call);
        passed.Clear();
    }

    void Read(string file, Call call)
    {
        project.Reads.File(file, Phase.Build, call.Why(tree));
        var folder = Path.GetDirectoryName(file);
        if (call.OfPackage && file == project.Path) Folder(folder + "/", call);
        if (call.IsKnown) return;
        // Settings of a tool name what it reads: bundleconfig.json, for example.
        if (file != project.Path && Commands.IsData(file)) named.In(project, file);
        if (IsInside(file)) return;
        if (call.OfPackage && project.Path.StartsWith(folder + "/")) inputs.Right(project, folder, call.Why(tree));
        else Folder(folder + "/", call);
    }

    void Folder(string folder, Call call)
    {
        if (call.IsKnown) return;
        if (folder == project.Folder + "/")
        {
            // A task of a package is a compiled program. Given the project, it may look for settings in folders above.
            if (call.OfPackage) inputs.Above(project, call.Why(tree));
            // These take the commit from .git, and what git ignores.
            if (!call.Task.StartsWith("Microsoft.Build.Tasks.Git.")) inputs.Repository(project, call.Why(tree));
        }
        else inputs.Below(project, folder, call.Why(tree));
    }

    bool IsInside(string path) => path.StartsWith(project.Folder + "/");

    void Build(Call call)
    {
        var globals = project.Globals.Without(new[] { "TargetFramework", "RuntimeIdentifier" });
        foreach (var name in Project.List(call["Projects"]))
            if (project.Reads.Find(project.Folder, name) is { } path && !path.EndsWith('/'))
                foreach (var metadata in Metadata(name))
                    Built.Add(new(path, Session(Once.GlobalsOf(
                        globals, metadata, call["Properties"], call["RemoveProperties"])), call["Targets"]));
    }

    // Targets that restore what they build give a GUID. Each would be one more project to look at.
    static Globals Session(Globals globals) =>
        globals.Has(Restoring.SessionId) ? globals.With(Restoring.SessionId, Restoring.AnySession) : globals;

    // The metadata of items with a name, in which task MSBuild finds properties. The name may also be that of no item.
    IEnumerable<Func<string, string>> Metadata(string name) =>
        (Instance?.Items ?? Enumerable.Empty<ProjectItemInstance>()).Where(item => item.EvaluatedInclude == name)
            .Select(item => (Func<string, string>)item.GetMetadataValue).Append(_ => "");
}

/// <summary>A project that task MSBuild builds.</summary>
/// <param name="Targets">Those that the task names; empty for the default ones.</param>
sealed record Built(string Path, Globals Globals, string Targets)
{
    /// <summary>Whether the task compiles the project. For that, it needs all sources.</summary>
    public bool Compiles(Project project)
    {
        if (project.Instance is not { } instance) return false;
        string[] Names(string list) => Project.List(instance.ExpandString(list));
        var around = instance.Targets.Values
            .SelectMany(t => Names(t.BeforeTargets + ";" + t.AfterTargets).Select(n => (n, t.Name)))
            .ToLookup(p => p.n, p => p.Name, StringComparer.OrdinalIgnoreCase);
        var found = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        void Add(string name)
        {
            if (!found.Add(name)) return;
            var before = instance.Targets.TryGetValue(name, out var target) ? target.DependsOnTargets : "";
            foreach (var other in Names(before).Concat(around[name])) Add(other);
        }
        foreach (var name in Targets == "" ? instance.DefaultTargets.ToArray() : Project.List(Targets)) Add(name);
        return found.Contains("CoreCompile");
    }
}
