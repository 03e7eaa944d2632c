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
        "XslTransformation", "XmlPoke", "DownloadFile", "VerifyFileHash", "Exists", "Inputs",
    };

    // Their parameters for folders that are read as a whole: of Copy, and of ZipDirectory.
    static readonly string[] Sources = { "SourceFolders", "SourceDirectory" };

    // What a command reads as data. A file with another extension may be a program, which can read anything.
    static readonly HashSet<string> Data = new(StringComparer.OrdinalIgnoreCase)
    {
        ".json", ".xml", ".yml", ".yaml", ".toml", ".ini", ".config", ".txt", ".csv", ".md", ".html", ".css", ".scss",
        ".less", ".sql", ".proto", ".graphql", ".xsd", ".xsl", ".xslt", ".wsdl", ".resx", ".tt", ".template", ".tmpl",
        ".in", ".props", ".targets", ".csproj", ".fsproj", ".vbproj", ".nuspec", ".snk", ".svg", ".png", ".ico",
    };

    // Commands that run nothing of what they are given.
    static readonly HashSet<string> Moving = new(StringComparer.OrdinalIgnoreCase)
    {
        "cp", "copy", "xcopy", "robocopy", "mv", "move", "rm", "del", "mkdir", "md", "ln", "chmod", "touch", "ls",
        "cat", "echo", "tar", "zip", "test", "[", "fi", "exit", "rem", "",
    };

    readonly Project project;
    readonly Tree tree;
    readonly Inputs inputs;
    readonly NamedFiles named;
    readonly HashSet<string> own;

    /// <param name="tasks">The declarations of tasks in the files of the repository.</param>
    public Calls(
        Project project, Tree tree, Inputs inputs, NamedFiles named, IEnumerable<ProjectUsingTaskElement> tasks)
    {
        this.named = named;
        this.project = project;
        this.tree = tree;
        this.inputs = inputs;
        own = tasks.Where(IsOwn).Select(t => t.TaskName.Split('.').Last()).ToHashSet(StringComparer.OrdinalIgnoreCase);
    }

    // Whether the code of a task is in the repository, not in a package.
    static bool IsOwn(ProjectUsingTaskElement task) => task.TaskFactory != "" ||
        task.AssemblyFile != "" && !task.AssemblyFile.Contains("$(NuGetPackageRoot)") &&
        !task.AssemblyFile.Contains("$(Pkg");

    // Properties with a command that a target of the SDK runs (Microsoft.Common.CurrentVersion.targets).
    static readonly string[] Events = { "PreBuildEvent", "PreLinkEvent", "PostBuildEvent" };

    /// <summary>Takes the commands that properties of the project have.</summary>
    public void TakeEvents()
    {
        foreach (var command in Events.Where(name => project[name].Trim() != ""))
            Take(new Call("Exec", project.Path + ":1", false, new() { ("Command", project[command]) }, command));
    }

    public static bool IsSilent(string task) => Silent.Contains(task);
    public static bool IsKnown(string task) => Known.Contains(task);

    /// <summary>Projects that are built by task MSBuild, or that targets add to the references.</summary>
    public List<(string Path, Globals Globals)> Built { get; } = new();

    /// <summary>The project with the copies of its targets; null for none.</summary>
    public ProjectInstance Instance { get; set; }

    /// <summary>What <see cref="CrosshullRecord"/> calls: task, place, names of parameters, and their values.</summary>
    public Action<string, string, string[], string[]> Recorder => (task, place, names, values) =>
        Take(new Call(task, place, !tree.HasFile(place.Substring(0, place.LastIndexOf(':'))),
            Pairs(names, values).ToList()));

    // There are more names than values if a task has more parameters than can be recorded.
    static IEnumerable<(string, string)> Pairs(string[] names, string[] values) =>
        names.Select((name, i) => (name, values.ElementAtOrDefault(i) ?? ""));

    /// <summary>A task as it would be called.</summary>
    sealed record Call(
        string Task, string Place, bool OfPackage, List<(string Name, string Value)> Parameters, string Property = null)
    {
        public bool Is(string task) => Task.Equals(task, StringComparison.OrdinalIgnoreCase);
        public bool IsKnown => Known.Contains(Task);

        /// <summary>The value of a parameter; empty where there is none.</summary>
        public string this[string name] =>
            Parameters.FirstOrDefault(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value ?? "";
    }

    string Why(Call call) => call.Property != null ? "property " + call.Property : call.Task + " in " +
        (call.OfPackage ? Path.GetFileName(call.Place) : Path.GetRelativePath(tree.Root, call.Place));

    void Everything(string why) => project.Reads.Everything(Phase.Build, why);

    void Take(Call call)
    {
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
        else if (call.Is("Exec")) Exec(call);
        else if (!call.OfPackage && own.Contains(call.Task.Split('.').Last()))
            Everything(Why(call) + ", a task of the repository");
        else Task(call);
    }

    // A file that a target makes, and that the repository has, too. Some targets name what they read as an output.
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
        if (call.Parameters.Count > CrosshullRecord.Most) Everything(Why(call) + " has too many parameters");
        foreach (var word in call.Parameters.SelectMany(p => Project.List(p.Value)))
        {
            if (project.Reads.Find(project.Folder, word) is not { } path) continue;
            if (path.EndsWith('/')) Folder(path, call);
            else Read(path, call);
        }
        foreach (var folder in Sources.SelectMany(name => Project.List(call[name])))
            if (project.Reads.Find(project.Folder, folder) is { } path && path.EndsWith('/')) Below(path, call);
        if (call.Is("MSBuild") || call.Is("CallTarget")) Build(call);
    }

    void Read(string file, Call call)
    {
        project.Reads.File(file, Phase.Build, Why(call));
        var folder = Path.GetDirectoryName(file);
        if (call.OfPackage && file == project.Path) Folder(folder + "/", call);
        if (call.IsKnown || IsInside(file)) return;
        if (call.OfPackage && project.Path.StartsWith(folder + "/")) inputs.Right(project, folder, Why(call));
        else Folder(folder + "/", call);
    }

    void Folder(string folder, Call call)
    {
        if (call.IsKnown) return;
        if (folder == project.Folder + "/")
        {
            // A task of a package is a compiled program. Given the project, it may look for settings in folders above.
            if (call.OfPackage && !call.Is("Exec")) inputs.Above(project, Why(call));
        }
        else Below(folder, call);
    }

    // All that is below a folder.
    void Below(string folder, Call call)
    {
        if (folder == project.Folder + "/") return;
        if (project.Path.StartsWith(folder)) Everything(Why(call));
        else project.Reads.Folder(folder, Phase.Build, Why(call));
    }

    bool IsInside(string path) => path.StartsWith(project.Folder + "/");

    /// <summary>Takes the projects that targets add to what the project references.</summary>
    public void Refer(IEnumerable<string> projects)
    {
        var globals = project.Globals.Without(new[] { "TargetFramework", "RuntimeIdentifier", "RuntimeIdentifiers" });
        foreach (var path in projects.Where(tree.HasFile)) Built.Add((path, globals));
    }

    void Build(Call call)
    {
        var globals = project.Globals.Without(new[] { "TargetFramework", "RuntimeIdentifier" })
            .With(Globals.Parse(call["Properties"])).Without(Project.List(call["RemoveProperties"]));
        foreach (var name in Project.List(call["Projects"]))
            if (project.Reads.Find(project.Folder, name) is { } path && !path.EndsWith('/'))
                Built.AddRange(Properties(name).Prepend("").Select(p => (path, globals.With(Globals.Parse(p)))));
    }

    // The properties that items with a name have as metadata, for task MSBuild.
    IEnumerable<string> Properties(string name) =>
        from item in Instance?.Items ?? Enumerable.Empty<ProjectItemInstance>()
        where item.EvaluatedInclude == name
        let properties = item.GetMetadataValue("Properties") + ";" + item.GetMetadataValue("AdditionalProperties")
        where properties != ";"
        select properties;

    // A command reads the folder that it runs in, and folders that it names. If it runs a program of the repository,
    // looks beyond its project, or has words that only the shell knows, it can read anything.
    void Exec(Call call)
    {
        var folder = project.Folder;
        if (call["WorkingDirectory"] is { Length: > 0 } working)
            folder = Path.GetFullPath(Path.Combine(folder, working.Replace('\\', '/')));
        if (tree.IsIn(folder + "/")) Folder(folder + "/", call);
        var command = call["Command"];
        if (IsComposed(command, call["EnvironmentVariables"]))
            Everything(Why(call) + " has words that only the shell knows");
        var builds = Words(command).Contains("dotnet");
        var runs = Regex.Split(command, @"[&|;\n]|\b(?:if|then|else)\b").Any(c => !Moving.Contains(First(c)));
        var folders = new List<string> { folder, project.Folder };
        if (builds) Programs(folder + "/", call);
        foreach (var word in Words(command).Concat(Words(call["EnvironmentVariables"])))
        {
            var path = folders.Select(f => project.Reads.Find(f, word)).FirstOrDefault(p => p != null);
            if (path == null)
            {
                Pattern(folder, word, call);
                if (runs) Output(word, call);
            }
            else if (path.EndsWith('/'))
            {
                folders.Add(path); // the command may change to it
                if (builds) Programs(path, call);
                // A program of a package that gets the project's folder may look for settings in those above.
                if (call.OfPackage && path == project.Folder + "/") inputs.Above(project, Why(call));
                Folder(path, call);
            }
            else
            {
                project.Reads.File(path, Phase.Build, Why(call));
                if (!IsInside(path) || !Data.Contains(Path.GetExtension(path)))
                    Everything(Why(call) + ", with " + Path.GetFileName(path));
                else named.In(project, path);
            }
        }
        if (builds) Tools(folder, call);
    }

    // The dotnet command takes a folder for the project in it, and may run that.
    void Programs(string folder, Call call)
    {
        if (folder != project.Folder + "/" && HasProject(folder))
            Everything(Why(call) + ", with the project in " + Path.GetRelativePath(tree.Root, folder));
    }

    bool HasProject(string folder) =>
        tree.IsIn(folder) && Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*.*proj").Any();

    // What is not there yet may be a program that the build makes: an assembly, or something in the folder of another
    // project.
    void Output(string word, Call call)
    {
        if (!word.Contains('/') && !word.Contains('\\')) return;
        if (word.EndsWith(".dll") && tree.IsIn(Path.GetFullPath(Path.Combine(project.Folder, word.Replace('\\', '/')))))
            Everything(Why(call) + ", with " + Path.GetFileName(word.Replace('\\', '/')));
        var folder = Path.GetDirectoryName(Path.GetFullPath(Path.Combine(project.Folder, word.Replace('\\', '/'))));
        while (tree.IsIn(folder + "/") && !HasProject(folder + "/")) folder = Path.GetDirectoryName(folder);
        if (tree.IsIn(folder + "/")) Programs(folder + "/", call);
    }

    static string First(string command) => command.Trim().Split(' ', 2)[0].Trim('@', '"', '(');

    // Whether a command has words that only the shell knows: what another command prints, the current folder, or a
    // variable that is set for the command. Other variables are those of the container, which say nothing about the
    // repository.
    static bool IsComposed(string command, string environment)
    {
        if (Regex.IsMatch(command, @"\$\(|`|\$\{?(OLD)?PWD\b")) return true;
        var set = Regex.Matches(command + " " + environment, @"\b(\w+)=|\b(for|read)\s+(?<1>\w+)")
            .Select(m => m.Groups[1].Value).ToHashSet();
        return Regex.Matches(command, @"\$\{?(\w+)").Any(m => set.Contains(m.Groups[1].Value));
    }

    // What a pattern matches is below the folder before the wildcard.
    void Pattern(string folder, string word, Call call)
    {
        var at = word.IndexOfAny("*?[{".ToCharArray());
        if (at < 0) return;
        var before = word.Substring(0, word.LastIndexOf('/', at) + 1);
        if (project.Reads.Find(folder, before) is { } path && path.EndsWith('/')) Folder(path, call);
    }

    // The dotnet command finds its tools by files in the folders above.
    void Tools(string folder, Call call)
    {
        for (; folder != null && tree.IsIn(folder + "/"); folder = Path.GetDirectoryName(folder))
            foreach (var name in new[] { ".config/dotnet-tools.json", "dotnet-tools.json" })
                project.Reads.File(folder + "/" + name, Phase.Build, Why(call));
    }

    // Each word of a command line: what is in quotes, what is between blanks, and the parts of it that can be paths.
    static IEnumerable<string> Words(string value)
    {
        var quoted = Regex.Matches(value, "\"([^\"]*)\"|'([^']*)'").Select(m => m.Groups[1].Value + m.Groups[2].Value);
        var plain = Regex.Split(value, "[\\s\"'&|;<>()]+");
        return quoted.Concat(plain).SelectMany(Parts).Where(w => w != "").Distinct();
    }

    // As in --config=../a.json, -I../include, @../a.rsp, and A=b:c.
    static IEnumerable<string> Parts(string word)
    {
        yield return word;
        foreach (var part in word.Split('=', ':', ',')) yield return part;
        if (word.IndexOf("../", StringComparison.Ordinal) is > 0 and var at) yield return word.Substring(at);
        if (word.IndexOf('/') is > 0 and var slash && "-@".Contains(word[0])) yield return word.Substring(slash);
    }
}
