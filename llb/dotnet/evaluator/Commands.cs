using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Crosshull;

/// <summary>Finds what commands read: those of task Exec, and those of properties such as PreBuildEvent.</summary>
sealed class Commands
{
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

    // The dotnet command takes the project in the folder that it runs in, for example with other properties.
    static readonly Regex Building = new(@"\bdotnet(?:\.exe)?""?\s+(build|run|publish|msbuild|pack|test|watch)\b");

    // A call of git, and one of a program that is named after it, such as GitVersion.
    static readonly Regex Git = new(@"(?<![\w.-])git(\.exe)?""?(\s+(-[cC]\s+\S+|-[\w=./-]+))*" +
        @"\s+(?<verb>[\w-]+)(?<rest>[^&|;\n]*)", RegexOptions.IgnoreCase);
    static readonly Regex OverGit = new(@"(^|[&|;\n(])\s*""?([^\s&|;]*[/\\])?" +
        @"(dotnet(\.exe)?""?\s+(tool\s+run\s+)?)?(dotnet-)?git[\w-]", RegexOptions.IgnoreCase);

    // Commands of git that read the history alone.
    static readonly HashSet<string> History = new(StringComparer.OrdinalIgnoreCase)
    {
        "describe", "rev-parse", "rev-list", "log", "show", "show-ref", "tag", "branch", "config", "remote",
        "symbolic-ref", "name-rev", "for-each-ref", "cat-file", "merge-base", "shortlog", "ls-tree", "ls-remote",
        "fetch", "version", "var",
    };

    /// <summary>Whether a command or a task takes a file for data, by its name.</summary>
    public static bool IsData(string path) => Data.Contains(Path.GetExtension(path));

    readonly Project project;
    readonly Tree tree;
    readonly Inputs inputs;
    readonly NamedFiles named;

    public Commands(Project project, Tree tree, Inputs inputs, NamedFiles named)
    {
        this.project = project;
        this.tree = tree;
        this.inputs = inputs;
        this.named = named;
    }

    /// <summary>
    /// A command reads the folder that it runs in, and folders that it names. If it runs a program of the repository,
    /// looks beyond its project, or has words that only the shell knows, it can read anything.
    /// </summary>
    public void Take(Call call)
    {
        var why = call.Why(tree);
        var folder = project.Folder;
        if (call["WorkingDirectory"] is { Length: > 0 } working)
            folder = Path.GetFullPath(Path.Combine(folder, working.Replace('\\', '/')));
        if (tree.IsIn(folder + "/")) inputs.Below(project, folder + "/", why);
        var command = call["Command"];
        if (IsComposed(command, call["EnvironmentVariables"]))
            project.Reads.Everything(Phase.Build, why + " has words that only the shell knows");
        var builds = Words(command).Any(word => word == "dotnet" || word.EndsWith("/dotnet")); // $(DOTNET_HOST_PATH)
        var programs = Regex.Split(WithoutQuotedSigns(command), @"[&|;\n]|\b(?:if|then|else|do)\b").Select(First)
            .ToList();
        var runs = programs.Any(p => !Moving.Contains(p));
        var folders = new List<string> { folder, project.Folder };
        if (OverGit.IsMatch(command) || Git.Matches(command).Any(Compares)) inputs.Repository(project, why);
        if (builds) Programs(folder + "/", why);
        if (!call.OfPackage && Building.IsMatch(command) && HasProject(folder + "/"))
            project.Reads.Everything(Phase.Build, why + ", which builds what lies in its folder");
        foreach (var program in programs.Where(p => p.Contains('/') && p[0] != '>' && !call.OfPackage))
            if (project.Reads.Place(folder, program) is { } made && !tree.HasFile(made))
                project.Reads.Everything(Phase.Build, why + ", with program " + Path.GetFileName(made));
        // Most tools look for settings from the project's folder upwards. A package's tool that does so mostly gets the
        // folder, see below: all projects with the package would be built twice otherwise.
        if (runs && !call.OfPackage) inputs.Above(project, why);
        foreach (var word in Words(command).Concat(Words(call["EnvironmentVariables"])))
        {
            var path = folders.Select(f => project.Reads.Find(f, word)).FirstOrDefault(p => p != null);
            if (path == null)
            {
                inputs.Pattern(project, folder, word, why);
                if (runs) Output(word, why);
            }
            else if (path.EndsWith('/'))
            {
                folders.Add(path); // the command may change to it
                if (builds) Programs(path, why);
                // A program of a package that gets the project's folder may look for settings in those above.
                if (call.OfPackage && path == project.Folder + "/") inputs.Given(project, why);
                inputs.Below(project, path, why);
            }
            else
            {
                project.Reads.File(path, Phase.Build, why);
                if (!path.StartsWith(project.Folder + "/") || !IsData(path) ||
                    builds && Tree.IsProject(path) && !(call.OfPackage && path == project.Path))
                    // Another project has items of its own, and this one may get other properties.
                    project.Reads.Everything(Phase.Build, why + ", with " + Path.GetFileName(path));
                else named.In(project, path);
            }
        }
        if (builds) Tools(folder, why);
    }

    // Whether a call of git looks at the files of the repository, as `git describe --dirty` does.
    static bool Compares(Match git) => !History.Contains(git.Groups["verb"].Value) ||
        Regex.IsMatch(git.Groups["rest"].Value, "--(dirty|broken)");

    // The dotnet command takes a folder for the project in it, and may run that.
    void Programs(string folder, string why)
    {
        if (folder == project.Folder + "/" || !HasProject(folder)) return;
        var name = Path.GetRelativePath(tree.Root, folder);
        project.Reads.Everything(Phase.Build, why + ", with the project in " + name);
    }

    bool HasProject(string folder) =>
        tree.IsIn(folder) && Directory.Exists(folder) && Directory.EnumerateFiles(folder, "*.*proj").Any();

    // What is not there yet may be a program that the build makes: an assembly, or something in the folder of another
    // project.
    void Output(string word, string why)
    {
        if (!word.Contains('/') && !word.Contains('\\')) return;
        var path = Path.GetFullPath(Path.Combine(project.Folder, word.Replace('\\', '/')));
        if (path.EndsWith(".dll") && tree.IsIn(path))
            project.Reads.Everything(Phase.Build, why + ", with " + Path.GetFileName(path));
        var folder = Path.GetDirectoryName(path);
        while (tree.IsIn(folder + "/") && !HasProject(folder + "/")) folder = Path.GetDirectoryName(folder);
        if (tree.IsIn(folder + "/")) Programs(folder + "/", why);
    }

    // A command in which only signs of the shell separate commands: 's/a/b/;s/c/d/' is one word.
    static string WithoutQuotedSigns(string command) => Regex.Replace(
        command, "\"[^\"]*\"|'[^']*'", quoted => Regex.Replace(quoted.Value, @"[&|;\n]", " "));

    // The program of a command.
    static string First(string command)
    {
        var word = Regex.Match(command, @"^[\s@(]*(?:""([^""]*)""|([^\s""]*))");
        return word.Groups[1].Value + word.Groups[2].Value;
    }

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

    // The dotnet command finds its tools by files in the folders above.
    void Tools(string folder, string why)
    {
        for (; folder != null && tree.IsIn(folder + "/"); folder = Path.GetDirectoryName(folder))
            foreach (var name in new[] { ".config/dotnet-tools.json", "dotnet-tools.json" })
                project.Reads.File(folder + "/" + name, Phase.Build, why);
    }

    /// <summary>
    /// Each word of a command line: what is in quotes, what is between blanks, and the parts of it that can be paths.
    /// </summary>
    public static IEnumerable<string> Words(string value)
    {
        var quoted = Regex.Matches(value, "\"([^\"]*)\"|'([^']*)'").Select(m => m.Groups[1].Value + m.Groups[2].Value);
        var plain = Regex.Split(value, "[\\s\"'&|;<>()]+");
        return quoted.Concat(plain).Concat(Joined(value)).SelectMany(Parts).Where(w => w != "").Distinct();
    }

    // Words with blanks that only a part in quotes or a backslash holds together, as in ../'my docs'/a.txt.
    static IEnumerable<string> Joined(string value) =>
        from Match word in Regex.Matches(value, @"(?:[^\s""'\\&|;<>()]|\\.|""[^""]*""|'[^']*')+")
        where word.Value.AsSpan().IndexOfAny("\"'\\") >= 0
        select Regex.Replace(word.Value, @"\\(.)|[""']", "$1");

    // As in --config=../a.json, -I../include, @../a.rsp, and A=b:c.
    static IEnumerable<string> Parts(string word)
    {
        yield return word;
        foreach (var part in word.Split('=', ':', ',')) yield return part;
        if (word.IndexOf("../", StringComparison.Ordinal) is > 0 and var at) yield return word.Substring(at);
        if (word.IndexOf('/') is > 0 and var slash && "-@".Contains(word[0])) yield return word.Substring(slash);
    }
}
