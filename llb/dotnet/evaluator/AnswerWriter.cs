using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>Writes an answer as JSON. Paths in it are relative to the context.</summary>
static class AnswerWriter
{
    static readonly string[] AppProperties =
    {
        "TargetFramework", "TargetFileName", "AssemblyName", "StaticExecutable", "PublishRepositoryUrl",
        "InvariantGlobalization", "RollForward", "ProjectAssetsFile", "PublishRelease", "_CrosshullChosenBaseImage",
        "ContainerBaseImage", "ContainerWorkingDirectory", "ContainerUser", "ContainerAppCommandInstruction",
    };

    static readonly string[] ContainerItems =
    {
        "ContainerLabel", "ContainerPort", "ContainerEnvironmentVariable", "ContainerEntrypoint",
        "ContainerEntrypointArgs", "ContainerAppCommand", "ContainerAppCommandArgs", "ContainerDefaultArgs",
    };

    public static void Write(Stream to, Answer answer, Request request)
    {
        using var json = new Utf8JsonWriter(to);
        var write = new Relative(json, request);
        var all = answer.Questions.SelectMany(q => q.Closure).Select(p => p.Path).Distinct().ToList();
        var index = all.Select((p, i) => (p, i)).ToDictionary(x => x.p, x => x.i);
        json.WriteStartObject();
        write.Text("hidden", HiddenConfig(request));
        write.Strings("asks", answer.Asks);
        write.Strings("outputs", answer.Outputs);
        json.WriteStartArray("projects");
        var variants = answer.Questions.SelectMany(q => q.Closure).Distinct().ToLookup(p => p.Path);
        foreach (var path in all) write.Project(path, variants[path].ToList(), index);
        json.WriteEndArray();
        json.WriteStartArray("answers");
        foreach (var question in answer.Questions) write.Question(question, index);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    // NuGet reads the first of these files in the folder above the context (Settings.OrderedSettingsFileNames). With
    // feeds of the spec, a restore has a file of its own in the first place.
    static string HiddenConfig(Request request)
    {
        var folder = Path.GetDirectoryName(request.Root.TrimEnd('/'));
        var names = new[] { "nuget.config", "NuGet.config", "NuGet.Config" };
        return names.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
    }

    public static void Write(Stream to, TooManyProjectsException e, Request request)
    {
        using var json = new Utf8JsonWriter(to);
        json.WriteStartObject();
        new Relative(json, request).Strings("endless", new[] { e.Project });
        json.WriteEndObject();
    }

    sealed class Relative
    {
        readonly Utf8JsonWriter json;
        readonly string root;
        readonly IEnumerable<string> appProperties;

        public Relative(Utf8JsonWriter json, Request request)
        {
            this.json = json;
            root = request.Root.TrimEnd('/') + "/";
            appProperties = AppProperties.Concat(request.ModeProperties);
        }

        string Path(string path) => path.StartsWith(root) ? path.Substring(root.Length) : path;

        public void Strings(string name, IEnumerable<string> values)
        {
            var list = values.ToList();
            if (list.Count == 0) return;
            json.WriteStartArray(name);
            foreach (var value in list) json.WriteStringValue(Path(value));
            json.WriteEndArray();
        }

        void Numbers(string name, IEnumerable<int> values)
        {
            json.WriteStartArray(name);
            foreach (var value in values) json.WriteNumberValue(value);
            json.WriteEndArray();
        }

        public void Text(string name, string value)
        {
            if (!string.IsNullOrEmpty(value)) json.WriteString(name, value);
        }

        void Flag(string name, bool value)
        {
            if (value) json.WriteBoolean(name, value);
        }

        void Problem(string name, Problem problem)
        {
            if (problem == null) return;
            if (name == null) json.WriteStartObject();
            else json.WriteStartObject(name);
            Text("file", Path(problem.File));
            json.WriteNumber("line", problem.Line);
            json.WriteNumber("column", problem.Column);
            Text("code", problem.Code);
            Text("message", problem.Message.Replace(root, ""));
            Text("project", Path(problem.Project));
            json.WriteEndObject();
        }

        // A project with all its variants. It reads a file if one of them does.
        public void Project(string path, List<Project> variants, Dictionary<string, int> index)
        {
            json.WriteStartObject();
            json.WriteString("path", Path(path));
            var inner = variants.FirstOrDefault(Builds);
            if (inner != null) Compile(inner, variants.Any(v => v.Entangled));
            var references = variants.SelectMany(v => v.References).Select(r => r.Path).Where(r => r != path);
            Numbers("references", references.Distinct().Select(r => index[r]));
            Strings("missing", variants.SelectMany(v => v.Missing).Distinct());
            Flag("runsTools", variants.Any(v => v.RunsTools));
            Flag("foreignFrameworks", variants.Any(Crosshull.Candidate.HasForeign));
            Flag("packages", variants.Any(v => v.Items("PackageReference").Any()));
            Flag("byRestore", variants.Any(v => v.ByRestore));
            Flag("inRestore", variants.Any(v => v.InRestore));
            Flag("ownBin", variants.Any(v => v.OwnBin));
            Flag("byPublishing", variants.Any(v => v.ByPublishing));
            Text("unknown", variants.Select(v => v.Reads.Unknown).FirstOrDefault(u => u != null));
            Flag("unknownToEvaluation", variants.Any(v => v.Reads.UnknownToEvaluation));
            Reads("files", variants.SelectMany(v => v.Reads.Files));
            Reads("folders", variants.SelectMany(v => v.Reads.Folders));
            Strings("earlier", variants.SelectMany(v => v.Earlier).Distinct().OrderBy(p => p, StringComparer.Ordinal));
            Strings("existing", variants.SelectMany(v => v.Reads.Existing).Distinct());
            json.WriteEndObject();
        }

        // Not a variant that only starts a build for each of its frameworks.
        static bool Builds(Project variant) =>
            variant.Instance != null && (variant["TargetFramework"] != "" || variant["TargetFrameworks"] == "");

        void Compile(Project project, bool entangled)
        {
            Flag("apart", Compiled.Apart(project) && !entangled);
            if (project["TargetFrameworks"] != "") Text("framework", project["TargetFramework"]);
            Flag("takesRuntime", project.TakesRuntime);
            Flag("directReferences", project.Is("DisableTransitiveProjectReferences"));
            Flag("executable", project.Is("_IsExecutable"));
            // What the project says itself, not what the SDK makes of a runtime identifier.
            if (!project.Is("_UsingDefaultPlatformTarget")) Text("platformTarget", project["PlatformTarget"]);
            Text("lockFile", project["NuGetLockFilePath"]);
            Flag("lockedMode", project.Is("RestoreLockedMode"));
            Strings("frameworkReferences", project.Items("FrameworkReference").Select(i => i.EvaluatedInclude));
            json.WriteStartArray("floating");
            foreach (var (id, version) in Compiled.Floating(project))
            {
                json.WriteStartObject();
                json.WriteString("key", id);
                json.WriteString("value", version);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }

        void Reads(string name, IEnumerable<KeyValuePair<string, (Phase Phase, string Why)>> reads)
        {
            json.WriteStartArray(name);
            foreach (var read in reads.GroupBy(r => r.Key).OrderBy(g => g.Key, StringComparer.Ordinal))
            {
                var (phase, why) = read.Select(r => r.Value).OrderByDescending(r => r.Phase).First();
                json.WriteStartObject();
                json.WriteString("path", Path(read.Key));
                Flag("evaluation", phase == Phase.Evaluation);
                json.WriteString("why", why);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }

        public void Question(AnswerToQuestion question, Dictionary<string, int> index)
        {
            json.WriteStartObject();
            json.WriteStartArray("candidates");
            foreach (var candidate in question.Candidates) Candidate(candidate);
            json.WriteEndArray();
            Strings("missing", question.Solution.Missing);
            Problem("error", question.Solution.Problem);
            if (question.App != null) App(question, index);
            json.WriteEndObject();
        }

        void Candidate(Candidate candidate)
        {
            json.WriteStartObject();
            json.WriteString("path", Path(candidate.Project.Path));
            json.WriteString("kind", candidate.Kind);
            Text("outputType", candidate.Project["OutputType"]);
            Strings("frameworks", candidate.Frameworks);
            Flag("crossTargeting", candidate.CrossTargeting);
            Flag("coverage", candidate.Coverage);
            Problem("error", candidate.Project.Error);
            json.WriteEndObject();
        }

        void App(AnswerToQuestion question, Dictionary<string, int> index)
        {
            json.WriteStartObject("app");
            json.WriteString("path", Path(question.App.Path));
            Problem("error", question.App.Error);
            Strings("switches", question.Switches);
            Flag("byRuntimeIdentifier", question.ByRuntimeIdentifier);
            Strings("runtimeIdentifiers", Crosshull.Project.List(question.App["RuntimeIdentifiers"]));
            Numbers("closure", question.Closure.Select(p => p.Path).Distinct().Select(p => index[p]));
            json.WriteStartArray("errors");
            foreach (var error in question.Container?.Errors ?? new()) Problem(null, error);
            json.WriteEndArray();
            var facts = question.Container?.Instance ?? question.App.Instance;
            if (facts != null) Facts(facts);
            json.WriteEndObject();
        }

        void Facts(ProjectInstance facts)
        {
            json.WriteStartObject("properties");
            foreach (var name in appProperties) Text(name, Path(facts.GetPropertyValue(name)));
            json.WriteEndObject();
            json.WriteStartObject("items");
            foreach (var type in ContainerItems)
            {
                json.WriteStartArray(type);
                foreach (var item in facts.GetItems(type)) Item(item);
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }

        void Item(ProjectItemInstance item)
        {
            json.WriteStartObject();
            json.WriteString("name", item.EvaluatedInclude);
            Text("value", item.GetMetadataValue("Value"));
            Text("type", item.GetMetadataValue("Type"));
            json.WriteEndObject();
        }
    }
}
