using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.Build.Execution;
using Microsoft.Build.Framework;

namespace Crosshull;

/// <summary>The answer to a request.</summary>
sealed record Answer(
    IEnumerable<string> Asks, IEnumerable<string> Outputs, List<AnswerToQuestion> Questions);

/// <summary>The answer to one question.</summary>
/// <param name="App">The project that is meant; null if that, or its framework, is not clear.</param>
/// <param name="Closure">All projects that it is built from, itself included.</param>
sealed record AnswerToQuestion(
    List<Candidate> Candidates, SolutionProjects Solution, Project App, Container Container, HashSet<Project> Closure,
    IEnumerable<string> Switches, bool ByRuntimeIdentifier);

/// <summary>
/// Answers a request. It evaluates everything again until no project wants the contents of another stand-in, and no
/// folder of outputs is left.
/// </summary>
sealed class Session
{
    const int MaxRounds = 12;

    // BaseOutputPath can have files of the author's, beside folders for configurations, and ArtifactsPath beside those
    // of the SDK (Microsoft.NET.DefaultArtifactsPath.props).
    static readonly string[] OutputFolders =
    {
        "$(BaseIntermediateOutputPath)", "$(MSBuildProjectExtensionsPath)", "$(IntermediateOutputPath)",
        "$(BaseOutputPath)/Debug", "$(BaseOutputPath)/Release", "$(BaseOutputPath)/$(Configuration)",
        "$(ArtifactsPath)/bin", "$(ArtifactsPath)/obj", "$(ArtifactsPath)/publish", "$(ArtifactsPath)/package",
    };

    // These may be folders of the author's. They are outputs if a project's assembly is there, and no import.
    static readonly string[] SharedFolders = { "$(OutputPath)", "$(PublishDir)" };

    readonly Request request;
    readonly Tree tree;
    readonly Trap trap;
    readonly List<(string Path, Phase Phase, Project Reader)> read = new();

    public Session(Request request, Tree tree)
    {
        this.request = request;
        this.tree = tree;
        trap = new Trap(tree);
    }

    public Answer Answer()
    {
        var changed = true;
        for (var round = 1; ; round++)
        {
            using var once = new Once(request, tree, trap, mayStop: changed && round < MaxRounds);
            var answers = once.Questions();
            changed = GiveWanted(once.Evaluator);
            if (once.Stopped) continue;
            changed |= RemoveOutputs(once.Evaluator);
            if (!changed && !tree.Asks.Any())
            {
                once.CheckExistence();
                changed = GiveWanted(once.Evaluator);
            }
            if (changed && round < MaxRounds) continue;
            var restless = $"each of {MaxRounds} evaluations read other files";
            foreach (var project in once.Evaluator.Projects)
            {
                if (changed) project.Reads.Everything(Phase.Evaluation, restless);
                Credit(project, once);
            }
            return new Answer(tree.Asks, tree.Outputs, answers);
        }
    }

    bool GiveWanted(Evaluator evaluator)
    {
        foreach (var project in evaluator.Projects)
            foreach (var (path, phase) in project.Wanted) read.Add((path, phase, project));
        var changed = false;
        foreach (var (path, parses) in trap.Wanted) changed |= tree.Give(path, parses);
        trap.Wanted.Clear();
        return changed;
    }

    // Once a file has contents, the trap no longer sees who reads it. Another project may read it too, if it shares a
    // file with the project that was seen, or names what an evaluation has read.
    void Credit(Project project, Once once)
    {
        foreach (var (path, phase, reader) in read)
            if (project.Reads.Files.TryGetValue(path, out var known) && known.Phase >= phase) continue;
            else if (reader.Path == project.Path || reader.Imports.Overlaps(project.Imports) ||
                reader.PackageImports.Overlaps(project.PackageImports) ||
                phase == Phase.Evaluation && once.Mentions(project, Path.GetFileName(path)))
                project.Reads.File(path, phase, "read by an expression or a task");
    }

    // Outputs of a build on another machine are no input. Only the evaluation knows where they are.
    bool RemoveOutputs(Evaluator evaluator)
    {
        var changed = false;
        var projects = evaluator.Projects.Select(p => p.Path).Distinct().ToList();
        var imports = evaluator.Projects.SelectMany(p => p.Imports).Distinct().ToList();
        var assemblies = evaluator.Projects.Select(p => p["AssemblyName"] + ".dll").ToHashSet();
        foreach (var project in evaluator.Projects)
            foreach (var value in OutputFolders.Concat(SharedFolders))
                if (project.Reads.Find(project.Folder, project.Expand(value)) is { } folder && folder.EndsWith('/') &&
                    !projects.Any(p => p.StartsWith(folder)) && (!SharedFolders.Contains(value) ||
                        tree.HasFileIn(folder, assemblies) && !imports.Any(i => i.StartsWith(folder))))
                    changed |= tree.Remove(folder.TrimEnd('/'));
        return changed;
    }
}

/// <summary>The references of a request's projects have no end, or lead to more projects than is sensible.</summary>
sealed class TooManyProjectsException(string project) : Exception
{
    /// <summary>One of them.</summary>
    public string Project { get; } = project;
}

/// <summary>One evaluation of all that a request asks about, over the tree as it is.</summary>
sealed class Once : IDisposable
{
    // Properties that a reference does not get from the project that references it.
    static readonly string[] OfOne = { "TargetFramework", "RuntimeIdentifier", "RuntimeIdentifiers" };

    // Each framework and each set of properties of a project counts.
    const int MaxProjects = 50_000;

    // A project may reference itself, each time with another value of a property. MSBuild would never end, either.
    const int MaxVariants = 1_000;

    // Items that a publish may copy.
    static readonly string[] Copied = { "Content", "None", "EmbeddedResource", "Compile" };

    readonly Request request;
    readonly Tree tree;
    readonly bool mayStop;
    readonly BuildManager builds = new("crosshull");
    readonly ErrorLog log = new();
    readonly Targets targets;
    readonly Inputs inputs;
    readonly Existence existence;
    readonly NamedFiles named;
    readonly Outputs outputs;
    readonly HashSet<Project> walked = new();
    readonly HashSet<Project> forRuntime = new(); // references that get the runtime identifier of the app
    readonly Dictionary<string, int> variants = new(); // how many projects of walked have a path

    /// <param name="mayStop">Whether to only evaluate, once an evaluation wants more: all is done again then.</param>
    public Once(Request request, Tree tree, Trap trap, bool mayStop)
    {
        this.request = request;
        this.tree = tree;
        this.mayStop = mayStop;
        Evaluator = new Evaluator(tree, trap, Path.GetDirectoryName(request.Names) + "/");
        inputs = new Inputs(tree, request.Doubtful);
        named = new NamedFiles(tree, trap);
        targets = new Targets(tree, Evaluator, trap, builds, inputs, named);
        existence = new Existence(tree, Evaluator);
        outputs = new Outputs(tree, Evaluator);
        var parameters = Evaluator.Parameters;
        parameters.Loggers = new ILogger[] { log };
        builds.BeginBuild(parameters);
    }

    public Evaluator Evaluator { get; }

    /// <summary>Whether it stopped after the evaluations, because one wants more.</summary>
    public bool Stopped => mayStop && Evaluator.Wants;

    /// <summary>Whether the XML of the repository that makes up a project has a text in it.</summary>
    public bool Mentions(Project project, string text) => existence.Mentions(project, text);

    public List<AnswerToQuestion> Questions()
    {
        var answers = request.Questions.Select(Question).ToList();
        if (Stopped) return answers;
        foreach (var project in walked) project.Reads.OrEverything(() => named.Generators(project));
        foreach (var answer in answers) outputs.Check(answer.Closure);
        return answers;
    }

    /// <summary>
    /// Adds what exists, and makes a difference. This evaluates again many times, so it comes once, after all else.
    /// </summary>
    public void CheckExistence()
    {
        existence.Check(walked);
        foreach (var project in walked.Where(p => !existence.Mentions(p, "Exists")))
            // The SDK looks into the folder of each project. What it looks for makes no difference to a restore.
            project.Reads.Existing.RemoveWhere(f => f.StartsWith(project.Folder + "/"));
    }

    AnswerToQuestion Question(Question question)
    {
        var found = Candidates.Find(tree, question.Project, out var solution);
        var candidates = found.Select(p => Candidate.Of(tree, Evaluator.Evaluate(p, GlobalsOf(question, p)))).ToList();
        var nothing = new AnswerToQuestion(candidates, solution, null, null, new(), null, false);
        var chosen = Choose(question, candidates);
        if (chosen == null || GlobalsOf(question, chosen) is not { } globals) return nothing;
        var app = Evaluator.Evaluate(chosen.Project.Path, globals);
        if (app.Instance == null) return nothing with { App = app };
        var closure = new HashSet<Project>();
        Walk(app, closure);
        Walk(chosen.Project, closure); // with all its frameworks, which restore needs
        var varies = VariesByRuntimeIdentifier(app, closure);
        Others(app, closure);
        return nothing with
        {
            App = app, Closure = closure, ByRuntimeIdentifier = varies,
            // Asking for the container runs targets. That needs no targets of packages, which would run programs.
            Container = question.Test || tree.IsRestored || Stopped ? null : AskContainer(app),
            Switches = ResponseFile.Find(tree, app.Path),
        };
    }

    // Null where it is not clear which framework the question means.
    static Globals GlobalsOf(Question question, Candidate chosen)
    {
        if (!chosen.CrossTargeting) return chosen.Project.Globals;
        var framework = question.Framework;
        if (framework == "" && (question.Newest || chosen.Frameworks.Length == 1)) framework = chosen.Newest;
        return framework == "" ? null : chosen.Project.Globals.With("TargetFramework", framework);
    }

    Container AskContainer(Project app)
    {
        var globals = app.Globals.With("RuntimeIdentifiers", "").With("RuntimeIdentifier", RuntimeIdentifier(app));
        var asked = Evaluator.Evaluate(app.Path, globals);
        return asked.Instance == null ? null : Container.Ask(asked, builds, log);
    }

    Globals GlobalsOf(Question question, string project)
    {
        var globals = Globals.None;
        foreach (var response in ResponseFile.Find(tree, project))
            globals = globals.With(ResponseFile.Properties(tree, response));
        globals = globals.With(request.Properties).With(question.Properties);
        return question.Test ? globals : globals.With("_IsPublishing", "true");
    }

    Candidate Choose(Question question, List<Candidate> candidates)
    {
        // dotnet publish FOLDER means the project in the folder, and not those below it.
        var folder = Path.GetFullPath(tree.Root + question.Project).TrimEnd('/');
        if (question.Project != "" && candidates.Where(c => c.Project.Folder == folder).ToList() is [var here])
            candidates = [here];
        if (question.Test) return Only(candidates.Where(c => c.Kind == "test"));
        var apps = candidates.Where(c => c.Kind == "app").ToList();
        // An app that is also built for other systems is mostly a desktop program.
        if (apps.Count > 1 && apps.Count(c => c.ForLinuxAlone) == 1) apps.RemoveAll(c => !c.ForLinuxAlone);
        // If the question names one project, it means that project, whatever its kind.
        var named = apps.Count == 0 && candidates.Count == 1 && question.Project.EndsWith("proj");
        return Only(named ? candidates.Where(c => c.Runs) : apps);
    }

    static Candidate Only(IEnumerable<Candidate> candidates) => candidates.ToList() is [var one] ? one : null;

    // A library can be built with other properties than a plain reference gives it. A slice would compile it without
    // them. What it references gets them, too, but the app also references that directly, so it is built both ways.
    void Others(Project app, HashSet<Project> closure)
    {
        var plain = app.Globals.Without(OfOne);
        bool IsOther(Project project)
        {
            // It is not known here whether the app is published for a runtime identifier.
            if (project.Path == app.Path || project.Globals.Has("MSBuildIsRestoring") || forRuntime.Contains(project))
                return false;
            var globals = project.Globals.Without(project["TargetFrameworks"] == "" ? OfOne[..0] : OfOne[..1]);
            return globals.ToString() != plain.ToString();
        }
        foreach (var other in closure.Where(IsOther).ToList())
        {
            other.Entangled = true;
            foreach (var reference in other.References) Walk(Evaluator.Evaluate(reference.Path, plain), closure);
        }
    }

    /// <summary>Adds a project and all that it is built from to a closure, each once.</summary>
    void Walk(Project project, HashSet<Project> closure)
    {
        if (!closure.Add(project)) return;
        Look(project);
        foreach (var reference in project.References) Walk(reference, closure);
    }

    // What a project reads and references. This is found once, even if the project is in several closures.
    void Look(Project project)
    {
        if (!walked.Add(project)) return;
        variants[project.Path] = variants.GetValueOrDefault(project.Path) + 1;
        if (variants[project.Path] > MaxVariants || walked.Count > MaxProjects)
            throw new TooManyProjectsException(project.Path);
        project.UsesNone = existence.Mentions(project, "@(None") || existence.Mentions(project, "%(None.");
        project.Reads.OrEverything(() => inputs.Collect(project));
        foreach (var file in ResponseFile.Find(tree, project.Path).SelectMany(f => ResponseFile.Files(tree, f)))
            project.Reads.File(file, Phase.Evaluation, "switches of MSBuild");
        if (project.Instance == null) return;
        var xml = Evaluator.Parsed(project.Imports);
        project.Reads.OrEverything(() => inputs.Emptied(project, xml.SelectMany(f => f.Items)));
        project.Reads.OrEverything(() => named.Take(project, project.Instance));
        project.Entangled |= Compiled.TakesAssemblies(xml.Concat(Evaluator.Parsed(project.PackageImports)));
        project.OwnBin = tree.HasFolder(project.Folder + "/bin");
        project.ByPublishing = existence.Mentions(project, "_IsPublishing");
        project.ByRestore = project.Items("PackageReference").Any() ||
            Restored.Words.Any(w => existence.Mentions(project, w));
        Project Refer(string path, Globals globals)
        {
            var reference = Evaluator.Evaluate(path, globals);
            project.References.Add(reference);
            return reference;
        }
        if (project["TargetFramework"] == "" && project["TargetFrameworks"] != "")
        {
            foreach (var framework in Project.List(project["TargetFrameworks"]))
                Refer(project.Path, project.Globals.With("TargetFramework", framework));
            return;
        }
        // What a restore alone imports.
        if (!project.Globals.Has("MSBuildIsRestoring") && Restoring.Words.Any(w => existence.Mentions(project, w)))
            Refer(project.Path, project.Globals.With("MSBuildIsRestoring", "true")
                .With("ExcludeRestorePackageImports", "true").With(Restoring.SessionId, Restoring.AnySession));
        void ReferAll()
        {
            foreach (var item in project.ReferenceItems.ToList())
            {
                project.Entangled |= Compiled.Odd(item);
                var path = item.GetMetadataValue("FullPath");
                if (!tree.HasFile(path)) continue;
                var reference = Refer(path, GlobalsOf(project, item));
                reference.Entangled |= Compiled.InAnotherWay(item);
                if (reference.TakesRuntime && project.Globals["RuntimeIdentifier"] is { Length: > 0 } runtime)
                    forRuntime.Add(Refer(path, reference.Globals.With("RuntimeIdentifier", runtime)));
                if (item.GetMetadataValue("OutputItemType").Equals("Analyzer", StringComparison.OrdinalIgnoreCase))
                    project.Generators.Add(reference);
            }
        }
        ReferAll();
        project.Missing.AddRange(project.Items("ProjectReference").Select(i => i.GetMetadataValue("FullPath"))
            .Where(path => !tree.HasFile(path)));
        if (Stopped) return;
        var built = new List<Built>();
        project.Reads.OrEverything(() => built = targets.Record(project));
        project.Reads.OrEverything(() => outputs.Take(project));
        foreach (var one in built)
        {
            var reference = Refer(one.Path, one.Globals);
            reference.Entangled |= one.Compiles(reference);
        }
        ReferAll(); // with those that targets add
    }

    // Target ResolveProjectReferences builds a reference with these (Microsoft.Common.CurrentVersion.targets).
    public static Globals GlobalsOf(Project project, ProjectItemInstance reference)
    {
        string Of(string metadata) => reference.GetMetadataValue(metadata);
        var removed = Of("GlobalPropertiesToRemove") + project["_GlobalPropertiesToRemoveFromProjectReferences"];
        if (project["PassOutputPathToReferencedProjects"].Equals("false", StringComparison.OrdinalIgnoreCase))
            removed += ";OutputPath";
        return GlobalsOf(project.Globals.Without(OfOne), Of,
            string.Join(";", Of("SetConfiguration"), Of("SetPlatform"), Of("SetTargetFramework")), removed);
    }

    /// <summary>Those that task MSBuild builds an item with. Metadata of the item can say more.</summary>
    /// <param name="of">The value of metadata with a name.</param>
    /// <param name="properties">The parameter Properties of the task.</param>
    /// <param name="removed">Its parameter RemoveProperties.</param>
    public static Globals GlobalsOf(Globals globals, Func<string, string> of, string properties, string removed) =>
        globals.With(Globals.Parse(of("Properties") is { Length: > 0 } own ? own : properties))
            .With(Globals.Parse(of("AdditionalProperties")))
            .Without(Project.List(removed + ";" + of("UndefineProperties")));

    // If no XML of the repository names the property, the files are the same for all runtime identifiers.
    bool VariesByRuntimeIdentifier(Project app, HashSet<Project> closure)
    {
        if (!existence.Mentions(app, "RuntimeIdentifier") &&
            !closure.Any(p => p.TakesRuntime && p.Path != app.Path && existence.Mentions(p, "RuntimeIdentifier")))
            return false;
        Walk(Evaluator.Evaluate(app.Path, app.Globals.With("RuntimeIdentifier", "")), closure); // as in portable mode
        var published = new HashSet<string>();
        foreach (var rid in request.RuntimeIdentifiers)
        {
            var variant = Evaluator.Evaluate(app.Path, app.Globals.With("RuntimeIdentifier", rid));
            Walk(variant, closure);
            published.Add(string.Join("\n", Copied.SelectMany(variant.Items).Select(i =>
                i.ItemType + i.EvaluatedInclude + i.GetMetadataValue("CopyToOutputDirectory"))));
        }
        return published.Count > 1;
    }

    // The SDK is asked for one runtime identifier or none. The project's own ones tell which C library it is for.
    string RuntimeIdentifier(Project app)
    {
        // During a publish, the SDK sets one itself (Microsoft.NET.RuntimeIdentifierInference.targets).
        var said = app;
        var perPlatform = request.ModeProperties.Any(app.Is);
        if (perPlatform)
            said = Evaluator.Evaluate(app.Path, app.Globals.Without(new[] { "_IsPublishing" }));
        var own = Project.List(said["RuntimeIdentifiers"] + ";" + said["RuntimeIdentifier"]);
        if (own.Length > 0 && own.All(r => r.Contains("-musl-"))) return "linux-musl-x64";
        return perPlatform ? "linux-x64" : "";
    }

    public void Dispose()
    {
        builds.EndBuild();
        builds.Dispose();
        Evaluator.Dispose();
    }
}
