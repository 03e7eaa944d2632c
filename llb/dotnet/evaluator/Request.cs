using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;

namespace Crosshull;

/// <summary>What the frontend asks.</summary>
/// <param name="Root">Where the context is to be laid.</param>
/// <param name="Names">The file of names, see <see cref="Tree.Lay"/>.</param>
/// <param name="Contents">The folder with the contents that are known.</param>
/// <param name="Folder">Where commands run, relative to the context: the SDK looks for global.json from there.</param>
/// <param name="Properties">Properties of every command.</param>
/// <param name="RuntimeIdentifiers">Those of the platforms that are asked for.</param>
/// <param name="ModeProperties">Properties by which a project asks for a publish for each platform.</param>
/// <param name="Doubtful">Files that projects find by wildcards and mostly do not use.</param>
/// <param name="Questions">All are answered from the same evaluations.</param>
sealed record Request(
    string Root, string Names, string Contents, string Folder, Dictionary<string, string> Properties,
    string[] RuntimeIdentifiers, string[] ModeProperties, HashSet<string> Doubtful, Question[] Questions)
{
    public static Request Read(string file)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(file));
        var e = document.RootElement;
        return new Request(
            Text(e, "root"), Text(e, "names"), Text(e, "contents"), Text(e, "folder"), Map(e, "properties"),
            List(e, "runtimeIdentifiers"), List(e, "modeProperties"), List(e, "doubtful").ToHashSet(),
            e.GetProperty("questions").EnumerateArray().Select(QuestionOf).ToArray());
    }

    static Question QuestionOf(JsonElement e) => new(
        Text(e, "project"), Text(e, "kind") == "test", Text(e, "framework"), Flag(e, "newest"), Map(e, "properties"));

    static bool Flag(JsonElement e, string name) => e.TryGetProperty(name, out var v) && v.GetBoolean();

    static string Text(JsonElement e, string name) => e.TryGetProperty(name, out var v) ? v.GetString() : "";

    static string[] List(JsonElement e, string name) =>
        e.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.Array
            ? v.EnumerateArray().Select(x => x.GetString()).ToArray() : Array.Empty<string>();

    static Dictionary<string, string> Map(JsonElement e, string name) =>
        e.TryGetProperty(name, out var v) && v.ValueKind == JsonValueKind.Object
            ? v.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString()) : new();
}

/// <summary>A project, folder or solution of the context, and how it is built.</summary>
/// <param name="Project">Relative to the context; empty is all of it.</param>
/// <param name="Test">A test is meant, not an app.</param>
/// <param name="Framework">TargetFramework of the app; empty where it has just one.</param>
/// <param name="Newest">Of several frameworks, the newest that the SDK can build is meant.</param>
/// <param name="Properties">Properties of this project's commands alone.</param>
sealed record Question(string Project, bool Test, string Framework, bool Newest, Dictionary<string, string> Properties);
