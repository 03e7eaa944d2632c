using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Microsoft.Build.Construction;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>
/// Finds what the targets of a repository and of packages read while they run, without running them: each is copied
/// under another name, without what decides whether and when it runs, and with a recorder in place of its tasks.
/// MSBuild runs the copies.
/// </summary>
sealed class Targets
{
    const string Prefix = "_Crosshull_";

    // Tasks that work on items and properties alone, or read a file that is then seen (see Trap): they run.
    static readonly HashSet<string> Pure = new(StringComparer.OrdinalIgnoreCase)
    {
        "CreateItem", "CreateProperty", "AssignTargetPath", "RemoveDuplicates", "ConvertToAbsolutePath",
        "FindUnderPath", "CombinePath", "ReadLinesFromFile", "XmlPeek", "FindInList", "AssignCulture", "GetFileHash",
        "Hash",
    };

    // Tasks that read nothing.
    static readonly HashSet<string> Silent = new(StringComparer.OrdinalIgnoreCase)
    {
        "Message", "Warning", "Error", "Touch", "MakeDir", "Delete", "RemoveDir", "WriteLinesToFile", "Telemetry",
        "CallTarget", "SetEnv",
    };

    // Tasks of MSBuild that read the files that they are given, and no more.
    static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        "Copy", "Move", "MSBuild", "Csc", "Vbc", "Fsc", "ZipDirectory", "Unzip", "GenerateResource",
        "XslTransformation", "XmlPoke", "DownloadFile", "VerifyFileHash",
    };

    readonly Tree tree;
    readonly Evaluator evaluator;
    readonly Trap trap;
    readonly BuildManager builds;
    readonly Inputs inputs;

    public Targets(Tree tree, Evaluator evaluator, Trap trap, BuildManager builds, Inputs inputs)
    {
        this.tree = tree;
        this.evaluator = evaluator;
        this.trap = trap;
        this.builds = builds;
        this.inputs = inputs;
    }

    /// <summary>Adds what the project's own targets read; gives the projects that they build by task MSBuild.</summary>
    public List<(string Path, Globals Globals)> Record(Project project)
    {
        var built = new List<(string, Globals)>();
        var files = project.Imports.Concat(project.PackageImports).Select(evaluator.Parsed)
            .Where(f => f?.Targets.Count > 0).ToList();
        if (project.Instance == null || files.Count == 0) return built;
        var copies = files.Select(f => new Copies(f)).ToList();
        try
        {
            var copied = new Project(project.Path, project.Globals, tree);
            evaluator.Evaluate(copied);
            if (copied.Instance == null) return built;
            Run(project, copied.Instance, copies.SelectMany(c => c.Names), built);
            inputs.Collect(project, copied.Instance); // the items and properties that targets make
        }
        finally
        {
            copies.ForEach(c => c.Remove());
        }
        return built;
    }

    void Run(Project project, ProjectInstance copied, IEnumerable<string> names, List<(string, Globals)> built)
    {
        const BuildRequestDataFlags anew = BuildRequestDataFlags.ReplaceExistingProjectInstance |
            BuildRequestDataFlags.IgnoreExistingProjectState;
        Action<string, string, string[], string[]> record = (task, place, parameters, values) =>
            Take(project, new Call(task, place, parameters.Zip(values, (n, v) => (n, v ?? "")).ToList()), built);
        AppDomain.CurrentDomain.SetData("crosshull.record", record);
        using var _ = trap.Read(project, Phase.Build);
        foreach (var target in names.Where(copied.Targets.ContainsKey))
            builds.BuildRequest(new BuildRequestData(copied, new[] { target }, null, anew));
    }

    /// <summary>A task as it would be called.</summary>
    sealed record Call(string Task, string Place, List<(string Name, string Value)> Parameters)
    {
        public bool Is(string task) => Task.Equals(task, StringComparison.OrdinalIgnoreCase);
        public bool IsKnown => Known.Contains(Task);

        /// <summary>The value of a parameter; empty where there is none.</summary>
        public string this[string name] =>
            Parameters.FirstOrDefault(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value ?? "";
    }

    void Take(Project project, Call call, List<(string, Globals)> built)
    {
        var why = call.Task + " in " + Path.GetRelativePath(tree.Root, call.Place);
        var folder = project.Folder;
        var working = call["WorkingDirectory"];
        if (working != "") folder = Path.GetFullPath(Path.Combine(folder, working.Replace('\\', '/')));
        var exec = call.Is("Exec");
        var ofPackage = !tree.HasFile(call.Place.Substring(0, call.Place.LastIndexOf(':')));
        if (ofPackage) why = call.Task + " in " + Path.GetFileName(call.Place);
        project.RunsTools |= !call.IsKnown && !ofPackage;
        if (exec && tree.IsIn(folder + "/") && folder != project.Folder)
            project.Reads.Folder(folder, Phase.Build, why);
        foreach (var (name, value) in call.Parameters)
            foreach (var word in Words(name, value))
                if ((project.Reads.Find(folder, word) ?? project.Reads.Find(project.Folder, word)) is { } path)
                    if (ofPackage && !call.IsKnown && !exec) Given(project, path, why);
                    else Name(project, path, why, call.IsKnown, exec);
        if (call.Is("MSBuild") || call.Is("CallTarget")) Built(project, call, built);
    }

    // What programs of a repository are written in.
    static readonly HashSet<string> Scripts = new(StringComparer.OrdinalIgnoreCase)
    {
        "", ".sh", ".bash", ".ps1", ".py", ".js", ".mjs", ".cjs", ".ts", ".pl", ".rb", ".cmd", ".bat", ".csx", ".fsx",
        ".cs", ".dll",
    };

    // A tool reads what a folder has that it is told of. A program of the repository can read anything, and so can a
    // command that looks beyond its project.
    static void Name(Project project, string path, string why, bool known, bool exec)
    {
        if (path.EndsWith('/'))
        {
            if (!known && !project.Path.StartsWith(path)) project.Reads.Folder(path, Phase.Build, why);
            else if (!known && path != project.Folder + "/") project.Reads.Everything(Phase.Build, why);
            return;
        }
        project.Reads.File(path, Phase.Build, why);
        if (exec && (!path.StartsWith(project.Folder + "/") || Scripts.Contains(Path.GetExtension(path))))
            project.Reads.Everything(Phase.Build, why + ", with " + Path.GetFileName(path));
    }

    // A task of a package is a compiled program. It reads what it is given, and what lies beside that, as files of one
    // folder name each other. Given the project, it may look for settings in the folders above.
    void Given(Project project, string path, string why)
    {
        var folder = Path.GetDirectoryName(path);
        project.Reads.File(path, Phase.Build, why);
        if (path == project.Path || path == project.Folder + "/") inputs.Above(project, why);
        else if (path.EndsWith('/') || !project.Path.StartsWith(folder + "/"))
            project.Reads.Folder(folder, Phase.Build, why);
        else if (folder != project.Folder) inputs.Right(project, folder, why);
    }

    static IEnumerable<string> Words(string name, string value) =>
        name is "Command" or "Arguments" or "CommandLineArguments"
            ? Regex.Split(value, "[\\s\"'=&|;<>()]+").Where(w => w != "")
            : Project.List(value);

    static void Built(Project project, Call call, List<(string, Globals)> built)
    {
        var globals = project.Globals.Without(new[] { "TargetFramework", "RuntimeIdentifier" })
            .With(Globals.Parse(call["Properties"])).Without(Project.List(call["RemoveProperties"]));
        foreach (var name in Project.List(call["Projects"]))
            if (project.Reads.Find(project.Folder, name) is { } path && !path.EndsWith('/')) built.Add((path, globals));
    }

    /// <summary>The copies of the targets in one file, which are part of the project until they are removed.</summary>
    sealed class Copies
    {
        readonly ProjectRootElement file;
        readonly string initialTargets;
        readonly List<ProjectElement> added = new();

        public Copies(ProjectRootElement file)
        {
            this.file = file;
            initialTargets = file.InitialTargets;
            file.InitialTargets = ""; // they would run for real
            added.Add(file.AddUsingTask(nameof(CrosshullRecord), typeof(CrosshullRecord).Assembly.Location, null));
            foreach (var target in file.Targets.Where(t => !t.Name.StartsWith(Prefix)).ToList()) Copy(target);
        }

        public List<string> Names { get; } = new();

        void Copy(ProjectTargetElement target)
        {
            var copy = file.CreateTargetElement(Prefix + Names.Count + "_" + target.Name);
            var name = copy.Name;
            file.AppendChild(copy);
            added.Add(copy);
            copy.DeepCopyFrom(target);
            copy.Name = name;
            copy.BeforeTargets = copy.AfterTargets = copy.DependsOnTargets = copy.Condition = "";
            copy.Inputs = copy.Outputs = "";
            copy.Returns = null;
            Names.Add(name);
            var originals = target.AllChildren.OfType<ProjectTaskElement>();
            foreach (var (task, original) in copy.AllChildren.OfType<ProjectTaskElement>().ToList().Zip(originals))
                Replace(task, original);
        }

        void Replace(ProjectTaskElement task, ProjectTaskElement original)
        {
            if (Pure.Contains(task.Name))
            {
                task.ContinueOnError = "true";
                return;
            }
            if (!Silent.Contains(task.Name)) Record(task, original.Location);
            task.Parent.RemoveChild(task);
        }

        void Record(ProjectTaskElement task, ElementLocation place)
        {
            var record = file.CreateTaskElement(nameof(CrosshullRecord));
            task.Parent.InsertBeforeChild(record, task);
            record.SetParameter("Task", task.Name);
            record.SetParameter("Place", place.File + ":" + place.Line);
            var parameters = task.Parameters.Take(CrosshullRecord.Most).ToList();
            record.SetParameter("Names", string.Join(";", parameters.Select(p => p.Key)));
            for (var i = 0; i < parameters.Count; i++) record.SetParameter("P" + i, parameters[i].Value);
            if (task.Condition.Contains("%(")) record.Condition = task.Condition; // it makes batches
        }

        public void Remove()
        {
            foreach (var element in added) file.RemoveChild(element);
            file.InitialTargets = initialTargets;
        }
    }
}
