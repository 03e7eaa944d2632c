using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;
using Microsoft.Build.Construction;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>
/// Finds what the targets of a repository read while they run, without running them: each is copied under another name,
/// without what decides whether and when it runs, and with a recorder in place of its tasks. MSBuild runs the copies.
/// </summary>
sealed class Targets
{
    const string Prefix = "_Crosshull_";

    // Tasks that work on items and properties alone, or read a file that is then seen (see Trap): they run.
    static readonly HashSet<string> Pure = new(StringComparer.OrdinalIgnoreCase)
    {
        "CreateItem", "CreateProperty", "AssignTargetPath", "RemoveDuplicates", "ConvertToAbsolutePath", "FindUnderPath",
        "CombinePath", "ReadLinesFromFile", "XmlPeek", "FindInList", "AssignCulture", "GetFileHash", "Hash",
    };

    // Tasks that read nothing.
    static readonly HashSet<string> Silent = new(StringComparer.OrdinalIgnoreCase)
    {
        "Message", "Warning", "Error", "Touch", "MakeDir", "Delete", "RemoveDir", "WriteLinesToFile", "Telemetry", "CallTarget", "SetEnv",
    };

    // Tasks of MSBuild that read the files that they are given, and no more.
    static readonly HashSet<string> Known = new(StringComparer.OrdinalIgnoreCase)
    {
        "Copy", "Move", "MSBuild", "Csc", "Vbc", "Fsc", "ZipDirectory", "Unzip", "GenerateResource", "XslTransformation", "XmlPoke", "DownloadFile", "VerifyFileHash",
    };

    readonly Tree tree;
    readonly Evaluator evaluator;
    readonly Trap trap;
    readonly BuildManager builds;

    public Targets(Tree tree, Evaluator evaluator, Trap trap, BuildManager builds)
    {
        this.tree = tree;
        this.evaluator = evaluator;
        this.trap = trap;
        this.builds = builds;
    }

    /// <summary>Adds what the project's own targets read; gives the projects that they build by task MSBuild.</summary>
    public List<(string Path, Globals Globals)> Record(Project project)
    {
        var built = new List<(string, Globals)>();
        var files = project.Imports.Select(evaluator.Parsed).Where(f => f?.Targets.Count > 0).ToList();
        if (project.Instance == null || files.Count == 0) return built;
        var copies = files.Select(f => new Copies(f)).ToList();
        try
        {
            var copied = new Project(project.Path, project.Globals, tree);
            evaluator.Evaluate(copied);
            if (copied.Instance == null) return built;
            AppDomain.CurrentDomain.SetData("crosshull.record", new Action<string, string, string[], string[]>((task, place, names, values) =>
                Take(project, task, place, names.Zip(values, (n, v) => (n, v ?? "")).ToList(), built)));
            using var _ = trap.Read(project, Phase.Build);
            foreach (var target in copies.SelectMany(c => c.Names).Where(copied.Instance.Targets.ContainsKey))
                builds.BuildRequest(new BuildRequestData(copied.Instance, new[] { target }, null,
                    BuildRequestDataFlags.ReplaceExistingProjectInstance | BuildRequestDataFlags.IgnoreExistingProjectState));
        }
        finally
        {
            copies.ForEach(c => c.Remove());
        }
        return built;
    }

    void Take(Project project, string task, string place, List<(string Name, string Value)> parameters, List<(string, Globals)> built)
    {
        var why = task + " in " + Path.GetRelativePath(tree.Root, place);
        var folder = project.Folder;
        var working = parameters.FirstOrDefault(p => p.Name.Equals("WorkingDirectory", StringComparison.OrdinalIgnoreCase)).Value;
        if (!string.IsNullOrEmpty(working)) folder = Path.GetFullPath(Path.Combine(folder, working.Replace('\\', '/')));
        var exec = task.Equals("Exec", StringComparison.OrdinalIgnoreCase);
        project.RunsTools |= !Known.Contains(task);
        if (exec && tree.IsIn(folder + "/") && folder != project.Folder) project.Reads.Folder(folder, Phase.Build, why);
        foreach (var (name, value) in parameters)
            foreach (var word in Words(name, value))
                if ((project.Reads.Find(folder, word) ?? project.Reads.Find(project.Folder, word)) is { } path)
                    Name(project, path, why, Known.Contains(task), exec);
        if (task.Equals("MSBuild", StringComparison.OrdinalIgnoreCase) || task.Equals("CallTarget", StringComparison.OrdinalIgnoreCase)) Built(project, parameters, built);
    }

    // A tool reads more than it is told: what a folder has, and what lies beside a script.
    static void Name(Project project, string path, string why, bool known, bool exec)
    {
        if (path.EndsWith('/'))
        {
            if (!known && !project.Path.StartsWith(path)) project.Reads.Folder(path, Phase.Build, why);
            else if (!known && path != project.Folder + "/") project.Reads.Everything(Phase.Build, why);
            return;
        }
        project.Reads.File(path, Phase.Build, why);
        var folder = Path.GetDirectoryName(path) + "/";
        if (exec && !project.Path.StartsWith(folder)) project.Reads.Folder(folder, Phase.Build, why);
    }

    static IEnumerable<string> Words(string name, string value) =>
        name is "Command" or "Arguments" or "CommandLineArguments"
            ? Regex.Split(value, "[\\s\"'=&|;<>()]+").Where(w => w != "")
            : Project.List(value);

    static void Built(Project project, List<(string Name, string Value)> parameters, List<(string, Globals)> built)
    {
        string Of(string name) => parameters.FirstOrDefault(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value ?? "";
        var globals = project.Globals.Without(new[] { "TargetFramework", "RuntimeIdentifier" }).With(Globals.Parse(Of("Properties"))).Without(Project.List(Of("RemoveProperties")));
        foreach (var name in Project.List(Of("Projects")))
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
            copy.BeforeTargets = copy.AfterTargets = copy.Condition = copy.DependsOnTargets = copy.Inputs = copy.Outputs = "";
            copy.Returns = null;
            Names.Add(name);
            foreach (var (task, original) in copy.AllChildren.OfType<ProjectTaskElement>().ToList().Zip(target.AllChildren.OfType<ProjectTaskElement>())) Replace(task, original);
        }

        void Replace(ProjectTaskElement task, ProjectTaskElement original)
        {
            if (Pure.Contains(task.Name))
            {
                task.ContinueOnError = "true";
                return;
            }
            if (!Silent.Contains(task.Name))
            {
                var record = file.CreateTaskElement(nameof(CrosshullRecord));
                task.Parent.InsertBeforeChild(record, task);
                record.SetParameter("Task", task.Name);
                record.SetParameter("Place", original.Location.File + ":" + original.Location.Line);
                var parameters = task.Parameters.Take(CrosshullRecord.Most).ToList();
                record.SetParameter("Names", string.Join(";", parameters.Select(p => p.Key)));
                for (var i = 0; i < parameters.Count; i++) record.SetParameter("P" + i, parameters[i].Value);
                if (task.Condition.Contains("%(")) record.Condition = task.Condition; // it makes batches
            }
            task.Parent.RemoveChild(task);
        }

        public void Remove()
        {
            foreach (var element in added) file.RemoveChild(element);
            file.InitialTargets = initialTargets;
        }
    }
}
