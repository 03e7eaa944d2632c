using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Xml;
using System.Xml.Linq;
using Microsoft.Build.Construction;
using Microsoft.Build.Exceptions;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>A project that a question can mean, and what it is.</summary>
/// <param name="Kind">app, test, library, broken (MSBuild cannot evaluate it), or words for what else it is.</param>
/// <param name="Frameworks">Those that Linux can run.</param>
sealed record Candidate(Project Project, string Kind, string[] Frameworks, bool CrossTargeting)
{
    /// <summary>Whether it can be published if the question names just this project.</summary>
    public bool Runs =>
        Project["OutputType"] is "Exe" or "WinExe" && Kind != "test" && Kind != NotForLinux && Kind != WebAssembly;

    /// <summary>Whether a test can tell how much of the code it covers.</summary>
    public bool Coverage => Packages(Project).Contains("coverlet.collector");

    /// <summary>Whether Linux can run all of its frameworks.</summary>
    public bool ForLinuxAlone => Frameworks.Length == Math.Max(1, Project.List(Project["TargetFrameworks"]).Length);

    /// <summary>The newest framework that the SDK can build, empty for none.</summary>
    public string Newest
    {
        get
        {
            Version Of(string framework) =>
                Version.TryParse(Ask(Project.Instance, "GetTargetFrameworkVersion", framework), out var v) ? v : new();
            if (!Version.TryParse(Project["BundledNETCoreAppTargetFrameworkVersion"], out var most))
                most = new(99, 0);
            var built = Frameworks.Where(f => Of(f) <= most).OrderBy(Of).LastOrDefault();
            return built ?? Frameworks.FirstOrDefault() ?? "";
        }
    }

    public const string NotForLinux = "for another system than Linux", WebAssembly = "a Blazor WebAssembly client";

    static readonly string[] TestPackages = { "Microsoft.NET.Test.Sdk", "xunit.v3", "TUnit", "MSTest" };

    // By each of these, a test project runs itself (Microsoft.Testing.Platform).
    static readonly string[] TestRunners =
    {
        "EnableMSTestRunner", "EnableNUnitRunner", "UseMicrosoftTestingPlatformRunner",
    };

    // Programs that build the repository itself.
    static readonly string[] BuildPackages = { "Nuke.Common", "Cake.Frosting" };

    public static Candidate Of(Tree tree, Project project)
    {
        if (project.Instance == null) return new Candidate(project, "broken", Array.Empty<string>(), false);
        var all = Project.List(project["TargetFrameworks"]);
        var cross = all.Length > 0;
        if (!cross) all = Project.List(project["TargetFramework"]);
        var usable = all.Where(f => RunsOnLinux(project.Instance, f)).ToArray();
        return new Candidate(project, KindOf(tree, project, usable), usable, cross);
    }

    static HashSet<string> Packages(Project project) =>
        project.Items("PackageReference").Select(p => p.EvaluatedInclude).ToHashSet(StringComparer.OrdinalIgnoreCase);

    static string KindOf(Tree tree, Project project, string[] usable)
    {
        var packages = Packages(project);
        // IsTestProject comes from a package, so before restore it is unset: the package reference itself tells.
        if (project.Is("IsTestProject") || TestPackages.Any(packages.Contains) || TestRunners.Any(project.Is))
            return "test";
        if (project["OutputType"] is not ("Exe" or "WinExe")) return "library";
        bool Has(string prefix) => packages.Any(p => p.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
        if (Has("xunit.v3.")) return "test";
        if (usable.Length == 0) return NotForLinux;
        if (project.Is("IsAspireHost")) return "an Aspire host";
        if (project.Is("UsingMicrosoftNETSdkBlazorWebAssembly")) return WebAssembly;
        if (project.Is("PackAsTool")) return "a tool";
        if (project["PackageType"].Equals("Template", StringComparison.OrdinalIgnoreCase) ||
            IsInTemplate(tree, project.Folder)) return "a template";
        if (Has("BenchmarkDotNet")) return "a benchmark";
        if (BuildPackages.Any(packages.Contains)) return "a build script";
        // IsPublishable is true for libraries too, so the output type decides.
        return project["IsPublishable"].Equals("false", StringComparison.OrdinalIgnoreCase) ? "not publishable" : "app";
    }

    // Whether a folder is in a template of `dotnet new`. If the whole repository is a template, it still has an app.
    static bool IsInTemplate(Tree tree, string folder)
    {
        for (; tree.IsIn(folder); folder = Path.GetDirectoryName(folder))
            if (tree.HasFile(folder + "/.template.config/template.json")) return true;
        return false;
    }

    static bool RunsOnLinux(ProjectInstance instance, string framework) =>
        Ask(instance, "GetTargetFrameworkIdentifier", framework) == ".NETCoreApp" && !IsForeign(instance, framework);

    /// <summary>Whether a framework is one for another system, such as net10.0-windows.</summary>
    static bool IsForeign(ProjectInstance instance, string framework) =>
        Ask(instance, "GetTargetPlatformIdentifier", framework) is not ("" or "linux");

    /// <summary>Whether a project has such a framework among several.</summary>
    public static bool HasForeign(Project project) => project.Instance != null &&
        Project.List(project["TargetFrameworks"]).Any(f => IsForeign(project.Instance, f));

    // MSBuild's own functions say what a framework is (Microsoft.Build.Evaluation.IntrinsicFunctions).
    static string Ask(ProjectInstance instance, string function, string framework)
    {
        try
        {
            return instance.ExpandString("$([MSBuild]::" + function + "('" + framework + "'))");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return "none"; // no framework at all
        }
    }
}

/// <summary>Finds the projects that a question can mean.</summary>
static class Candidates
{
    static readonly string[] Languages = { ".csproj", ".fsproj", ".vbproj" };

    /// <summary>Absolute paths, sorted.</summary>
    public static string[] Find(Tree tree, string named, out SolutionProjects solution)
    {
        solution = new(Array.Empty<string>(), null);
        var path = (tree.Root + named).TrimEnd('/');
        var extension = Path.GetExtension(named).ToLowerInvariant();
        if (extension.EndsWith("proj")) return new[] { path };
        var isSolution = extension is ".sln" or ".slnx" or ".slnf";
        Problem problem = null;
        var found = isSolution ? OfSolution(path, out problem) : tree.FilesIn(path).Where(f => !InModules(path, f));
        var projects = found.Where(f => Languages.Contains(Path.GetExtension(f).ToLowerInvariant()))
            .Select(Path.GetFullPath).Distinct().OrderBy(f => f, StringComparer.Ordinal).ToArray();
        solution = new(projects.Where(f => !tree.HasFile(f)).ToArray(), problem);
        return projects.Where(tree.HasFile).ToArray();
    }

    // Packages of npm can have projects, which are not the repository's.
    static bool InModules(string folder, string file) => file.Substring(folder.Length).Contains("/node_modules/");

    static IEnumerable<string> OfSolution(string path, out Problem problem)
    {
        problem = null;
        try
        {
            return Path.GetExtension(path).ToLowerInvariant() switch
            {
                ".slnx" => OfXml(path),
                ".slnf" => OfFilter(path),
                _ => OfText(path),
            };
        }
        catch (InvalidProjectFileException e)
        {
            problem = new(path, e.LineNumber, e.ColumnNumber, e.ErrorCode, e.BaseMessage, path);
        }
        catch (XmlException e)
        {
            problem = new(path, e.LineNumber, e.LinePosition, "", e.Message, path);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            problem = new(path, 0, 0, "", "it is not a solution: " + e.Message, path);
        }
        return Array.Empty<string>();
    }

    static IEnumerable<string> OfText(string path) => SolutionFile.Parse(path).ProjectsInOrder
        .Where(p => p.ProjectType != SolutionProjectType.SolutionFolder).Select(p => p.AbsolutePath).ToList();

    // Its paths are relative to the solution (SolutionFilter in
    // docs.microsoft.com/visualstudio/msbuild/solution-filters).
    static IEnumerable<string> OfFilter(string path)
    {
        var dialect = new JsonDocumentOptions
        {
            AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip,
        };
        using var json = JsonDocument.Parse(File.ReadAllBytes(path), dialect);
        var solution = json.RootElement.GetProperty("solution");
        string Under(string folder, JsonElement file) => Path.Combine(folder, file.GetString().Replace('\\', '/'));
        var from = Path.GetDirectoryName(Under(Path.GetDirectoryName(path), solution.GetProperty("path")));
        return solution.GetProperty("projects").EnumerateArray().Select(p => Under(from, p)).ToList();
    }

    // MSBuild before 17.13 cannot read this format, but it is simple.
    static IEnumerable<string> OfXml(string path) => XDocument.Load(path).Descendants("Project")
        .Select(p => ((string)p.Attribute("Path") ?? "").Replace('\\', '/'))
        .Select(p => Path.Combine(Path.GetDirectoryName(path), p)).ToList();
}

/// <summary>What is wrong with a solution.</summary>
/// <param name="Missing">Projects that it names, but that do not exist.</param>
/// <param name="Problem">Why it cannot be read; null where it can.</param>
sealed record SolutionProjects(string[] Missing, Problem Problem);
