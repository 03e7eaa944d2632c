using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Crosshull;

/// <summary>
/// Finds names whose existence changes an evaluation, and that MSBuild does not ask its file system for: property
/// functions such as [System.IO.Directory]::GetFiles look for themselves. If the XML of a repository or a package has
/// such a function, all names that nothing else has reported are hidden, and the project is evaluated again. If the
/// result differs, a search finds the names that make the difference.
/// </summary>
sealed class Existence
{
    const int MaxCulprits = 20;
    static readonly string[] Functions =
    {
        "System.IO.", "::FileExists", "::DirectoryExists", "Exists()", "ModifiedTime", "CreatedTime", "AccessedTime",
    };

    readonly Tree tree;
    readonly Evaluator evaluator;
    readonly Dictionary<string, string> texts = new();

    public Existence(Tree tree, Evaluator evaluator)
    {
        this.tree = tree;
        this.evaluator = evaluator;
    }

    /// <summary>Whether the XML of the repository that makes up a project has a text in it.</summary>
    public bool Mentions(Project project, string text) => Mention(project.Imports, text);

    bool Mention(IEnumerable<string> files, string text) =>
        files.Any(f => Text(f).Contains(text, StringComparison.OrdinalIgnoreCase));

    string Text(string file) =>
        texts.TryGetValue(file, out var text) ? text : texts[file] = evaluator.Parsed(file)?.RawXml ?? "";

    public void Check(IEnumerable<Project> projects)
    {
        var looking = projects.Where(p => p.Instance != null &&
            Functions.Any(f => Mention(p.Imports.Concat(p.PackageImports), f))).ToList();
        if (looking.Count == 0) return;
        var whole = looking.ToDictionary(p => p, p => new Values(evaluator.Snapshot(p)));
        var names = Untold(looking);
        var hidden = new Hidden(tree.Root, names);
        try
        {
            foreach (var project in looking) project.Reads.OrEverything(() => Search(project, whole[project], hidden));
        }
        finally
        {
            hidden.ShowFirst(names.Count);
        }
    }

    // Names that no project is known to read, sorted.
    List<string> Untold(List<Project> projects)
    {
        var told = projects.SelectMany(p => p.Reads.Files.Keys.Concat(p.Imports)).Concat(tree.Given).ToHashSet();
        var folders = projects.SelectMany(p => p.Reads.Folders.Keys).Select(d => d + "/").Distinct().ToList();
        return tree.FilesIn(tree.Root)
            .Where(f => new FileInfo(f).LinkTarget == null && !told.Contains(f) && !folders.Any(f.StartsWith))
            .OrderBy(f => f, StringComparer.Ordinal).ToList();
    }

    // Binary search for the first name that changes the result, and then for the next one.
    void Search(Project project, Values whole, Hidden hidden)
    {
        var needed = new HashSet<string>();
        bool Same(int shown)
        {
            hidden.ShowFirst(shown, needed);
            return whole.AreIn(evaluator.Snapshot(project));
        }
        bool Decided()
        {
            if (Same(0)) return true;
            hidden.ShowFirst(hidden.Names.Count);
            whole.Forget(evaluator.Snapshot(project));
            return Same(0);
        }
        while (!Decided())
        {
            if (needed.Count == MaxCulprits)
            {
                project.Reads.Everything(
                    Phase.Evaluation, "it depends on the existence of more than " + MaxCulprits + " files");
                return;
            }
            var name = hidden.Names[First(hidden.Names.Count, Same) - 1];
            needed.Add(name);
            project.Reads.Existence(name);
            if (Path.GetDirectoryName(name) is { } folder && folder != project.Folder) project.Reads.Existence(folder);
        }
    }

    // The lowest number of names that gives the same result.
    static int First(int count, Func<int, bool> same)
    {
        int without = 0, with = count;
        while (with - without > 1)
        {
            var middle = (without + with) / 2;
            if (same(middle)) with = middle;
            else without = middle;
        }
        return with;
    }

    /// <summary>The properties and items of a project while all names are there.</summary>
    sealed class Values
    {
        readonly Dictionary<string, string> values;

        public Values(Dictionary<string, string> values) => this.values = values;

        public bool AreIn(Dictionary<string, string> others) => !Changed(others).Any();

        /// <summary>Forgets the values that a second evaluation of the same names changes: a time, or a GUID.</summary>
        public void Forget(Dictionary<string, string> again)
        {
            foreach (var name in Changed(again).ToList()) values.Remove(name);
        }

        IEnumerable<string> Changed(Dictionary<string, string> others) =>
            from value in values
            where !others.TryGetValue(value.Key, out var other) ||
                other != value.Value && Words(other) != Words(value.Value)
            select value.Key;

        // A list of files may have another order after some were taken away and shown again.
        static string Words(string value) =>
            string.Join(" ", Regex.Split(value, @"[^\w./\\-]+").OrderBy(w => w, StringComparer.Ordinal));
    }

    /// <summary>Names that are hidden for a time.</summary>
    sealed class Hidden
    {
        readonly string root;
        readonly Dictionary<string, (UnixFileMode Mode, DateTime Time, byte[] Bytes)> gone = new();

        public Hidden(string root, List<string> names)
        {
            this.root = root;
            Names = names;
        }

        public List<string> Names { get; }

        /// <summary>Shows the first names and those that are needed, and no other.</summary>
        public void ShowFirst(int count, HashSet<string> needed = null)
        {
            for (var i = 0; i < Names.Count; i++)
            {
                var show = i < count || needed != null && needed.Contains(Names[i]);
                if (show != gone.ContainsKey(Names[i])) continue;
                if (show) Show(Names[i]);
                else Hide(Names[i]);
            }
        }

        // A folder that is then empty goes, too, because its existence can change the result.
        void Hide(string file)
        {
            var mode = File.GetUnixFileMode(file);
            var bytes = mode == UnixFileMode.None ? Array.Empty<byte>() : File.ReadAllBytes(file);
            gone[file] = (mode, File.GetLastWriteTimeUtc(file), bytes);
            File.Delete(file);
            var folder = Path.GetDirectoryName(file);
            while (folder.Length >= root.Length && !Directory.EnumerateFileSystemEntries(folder).Any())
            {
                Directory.Delete(folder);
                folder = Path.GetDirectoryName(folder);
            }
        }

        void Show(string file)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file));
            File.WriteAllBytes(file, gone[file].Bytes);
            File.SetLastWriteTimeUtc(file, gone[file].Time);
            File.SetUnixFileMode(file, gone[file].Mode);
            gone.Remove(file);
        }
    }
}
