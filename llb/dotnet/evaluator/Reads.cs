using System;
using System.Collections.Generic;
using System.IO;

namespace Crosshull;

/// <summary>When a file is read. What evaluation reads, a restore needs too.</summary>
enum Phase { Build, Evaluation }

/// <summary>What a build of one project reads of the context, and why. Paths are absolute.</summary>
sealed class Reads
{
    readonly Tree tree;

    public Reads(Tree tree) => this.tree = tree;

    public Dictionary<string, (Phase Phase, string Why)> Files { get; } = new(StringComparer.Ordinal);

    /// <summary>Folders that are read as a whole.</summary>
    public Dictionary<string, (Phase Phase, string Why)> Folders { get; } = new(StringComparer.Ordinal);

    /// <summary>Folders that have to exist, whatever is in them.</summary>
    public SortedSet<string> Existing { get; } = new(StringComparer.Ordinal);

    /// <summary>Why it cannot be known what is read; null where it is known.</summary>
    public string Unknown { get; private set; }

    /// <summary>Whether it is also unknown what evaluation reads.</summary>
    public bool UnknownToEvaluation { get; private set; }

    /// <summary>The least phase of all that is added: Evaluation while targets of a restore run.</summary>
    public Phase Least { get; set; }

    public void File(string path, Phase phase, string why)
    {
        if (tree.HasFile(path)) Add(Files, path, phase, why);
    }

    public void Folder(string path, Phase phase, string why)
    {
        path = path.TrimEnd('/');
        if (path + "/" == tree.Root) Everything(phase, why);
        else if (tree.HasFolder(path)) Add(Folders, path, phase, why);
    }

    /// <summary>Takes note that the project looked for a file or folder.</summary>
    public void Existence(string path)
    {
        path = path.TrimEnd('/');
        if (tree.HasFile(path)) Add(Files, path, Phase.Evaluation, "the project looks for it");
        else if (tree.HasFolder(path)) Existing.Add(path);
    }

    public void Everything(Phase phase, string why)
    {
        Unknown ??= why;
        UnknownToEvaluation |= phase == Phase.Evaluation || Least == Phase.Evaluation;
    }

    /// <summary>Finds out what is read. If that fails, the project may read anything.</summary>
    public void OrEverything(Action find)
    {
        try
        {
            find();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Everything(
                Phase.Evaluation, "crosshull cannot find out what it reads: " + e.GetType().Name + ": " + e.Message);
        }
    }

    void Add(Dictionary<string, (Phase, string)> to, string path, Phase phase, string why)
    {
        if (phase < Least) phase = Least;
        if (!to.TryGetValue(path, out var known) || known.Item1 < phase) to[path] = (phase, why);
    }

    /// <summary>
    /// The file or folder of the context that a text names, as MSBuild would take it: relative to a folder, perhaps
    /// with the slashes of Windows. Null if there is none. A folder has a slash at its end.
    /// </summary>
    public string Find(string folder, string text)
    {
        var path = Place(folder, text);
        if (path == null || tree.HasFile(path)) return path;
        path = path.TrimEnd('/');
        return tree.HasFolder(path) || path + "/" == tree.Root ? path + "/" : null;
    }

    /// <summary>The same for what need not exist.</summary>
    public string Place(string folder, string text)
    {
        if (text.Length is 0 or > 1000 || text.AsSpan().IndexOfAny("\n<|\0") >= 0) return null;
        var path = Path.GetFullPath(Path.Combine(folder, text.Replace('\\', '/')));
        return tree.IsIn(path) || path + "/" == tree.Root ? path : null; // "../.." can be the context itself
    }
}
