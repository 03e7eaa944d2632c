using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.IO;
using System.Linq;

namespace Crosshull;

/// <summary>
/// Sees which project wants the contents of a stand-in. MSBuild reports some reads through its file system, see
/// <see cref="Recorder"/>. It reports no reads by property functions and tasks, and some readers swallow the error. But
/// each read throws an exception, and .NET reports that first (AppDomain.FirstChanceException).
/// </summary>
sealed class Trap
{
    readonly Tree tree;

    public Trap(Tree tree)
    {
        this.tree = tree;
        AppDomain.CurrentDomain.FirstChanceException += (_, e) =>
        {
            if (e.Exception is UnauthorizedAccessException denied && Quoted(denied.Message) is { } path) Take(path);
        };
    }

    /// <summary>Stand-ins that were wanted in this round, and whether MSBuild wanted to parse them.</summary>
    public ConcurrentDictionary<string, bool> Wanted { get; } = new();

    /// <summary>The project that reads now; null for none.</summary>
    public Project Reader { get; private set; }

    /// <summary>Counts what is read as the project's, until the result is disposed of.</summary>
    public IDisposable Read(Project project, Phase phase)
    {
        var before = (Reader, this.phase);
        (Reader, this.phase) = (project, phase);
        return new End(() => (Reader, this.phase) = before);
    }

    Phase phase;

    sealed record End(Action Action) : IDisposable
    {
        public void Dispose() => Action();
    }

    void Take(string path)
    {
        path = Path.GetFullPath(path);
        if (!tree.IsIn(path)) return;
        var parses = new StackTrace(2, false).GetFrames().Any(f =>
            f.GetMethod()?.DeclaringType?.Name == "ProjectRootElement");
        Wanted.AddOrUpdate(path, parses, (_, known) => known || parses);
        if (Reader is not { } reader) return;
        if (!reader.Wanted.TryGetValue(path, out var before) || before < phase) reader.Wanted[path] = phase;
    }

    static string Quoted(string message)
    {
        int first = message.IndexOf('\''), last = message.LastIndexOf('\'');
        return first >= 0 && last > first ? message.Substring(first + 1, last - first - 1) : null;
    }
}
