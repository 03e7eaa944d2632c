using System;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Text;

namespace Crosshull;

/// <summary>
/// The build context as this process lays it out. Every name is there, but only files that MSBuild reads as project
/// files have contents. The others are stand-ins that cannot be read (mode 0000), so that an attempt is seen, see
/// <see cref="Trap"/>.
/// </summary>
sealed class Tree
{
    readonly Dictionary<string, byte[]> contents;
    readonly HashSet<string> files = new(), folders = new(), closed = new(), given = new();
    readonly SortedSet<string> asks = new(StringComparer.Ordinal), outputs = new(StringComparer.Ordinal);
    readonly Dictionary<string, string> links = new(); // with the target of each, as it is written
    readonly Restored restored; // null: nothing is restored yet
    readonly HashSet<string> brought = new(); // what the restore has brought, which is no part of the context

    /// <param name="start">The folder that commands run in, relative to the context.</param>
    public Tree(string root, string start, Dictionary<string, byte[]> contents, Restored restored)
    {
        Root = root.TrimEnd('/') + "/";
        Start = Path.Combine(Root, start);
        this.contents = contents;
        this.restored = restored;
    }

    /// <summary>Whether packages are there, so that projects import their files.</summary>
    public bool IsRestored => restored != null;

    /// <summary>Whether the repository asks for a package, see <see cref="Restored.IsOwn"/>.</summary>
    public bool IsOwn(string package) => restored == null || restored.IsOwn(package);

    /// <summary>The folder of the context, with a slash at its end.</summary>
    public string Root { get; }

    /// <summary>The folder that commands run in.</summary>
    public string Start { get; }

    /// <summary>Files whose contents MSBuild wants and that were not given: relative to the context.</summary>
    public IEnumerable<string> Asks => asks;

    /// <summary>Folders that builds elsewhere left: relative to the context.</summary>
    public IEnumerable<string> Outputs => outputs;

    /// <summary>
    /// Lays names: a gzip file of records that end with NUL. A record is a kind (f, d, l) and a path. After that of a
    /// link (l) there is a record with its target.
    /// </summary>
    public void Lay(string names)
    {
        using var gzip = new GZipStream(File.OpenRead(names), CompressionMode.Decompress);
        var records = new StreamReader(gzip, new UTF8Encoding(false)).ReadToEnd().Split('\0');
        for (var i = 0; i < records.Length && records[i] != ""; i++)
        {
            var path = Root + records[i].Substring(1);
            switch (records[i][0])
            {
                case 'd': AddFolder(path); break;
                case 'l':
                    AddFolder(Path.GetDirectoryName(path));
                    links[path] = records[++i];
                    File.CreateSymbolicLink(path, links[path]);
                    break;
                default:
                    AddFolder(Path.GetDirectoryName(path));
                    LayFile(path, records[i].Substring(1));
                    break;
            }
        }
        Bring("");
    }

    // Makes a link for each file and folder that the restore has brought and the context lacks.
    void Bring(string folder)
    {
        if (restored == null) return;
        foreach (var entry in Directory.EnumerateFileSystemEntries(restored.Folder + folder))
        {
            var name = entry.Substring(restored.Folder.Length);
            var path = Root + name;
            if (folders.Contains(path)) Bring(name);
            else if (!files.Contains(path) && !links.ContainsKey(path) && brought.Add(path))
                File.CreateSymbolicLink(path, entry);
        }
    }

    bool IsBrought(string path)
    {
        if (brought.Count == 0) return false;
        for (path = Real(path); path?.Length > Root.Length; path = Path.GetDirectoryName(path))
            if (brought.Contains(path)) return true;
        return false;
    }

    void AddFolder(string path)
    {
        if (!(path + "/").StartsWith(Root) || path.Length < Root.Length || !folders.Add(path)) return;
        AddFolder(Path.GetDirectoryName(path));
        Directory.CreateDirectory(path);
    }

    void LayFile(string path, string name)
    {
        files.Add(path);
        var readable = contents.TryGetValue(name, out var bytes) && (IsProject(name) || IsSetting(name));
        using var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.Create, Access = FileAccess.Write, BufferSize = 0,
            UnixCreateMode = readable ? UnixFileMode.UserRead | UnixFileMode.UserWrite : UnixFileMode.None,
        });
        if (readable) file.Write(bytes);
    }

    /// <summary>Files that MSBuild parses as XML: <see cref="Evaluator"/> loads them before it evaluates any.</summary>
    public IEnumerable<string> Projects() =>
        contents.Keys.Where(IsProject).OrderBy(n => n, StringComparer.Ordinal).Select(n => Root + n)
            .Where(files.Contains);

    /// <summary>Whether MSBuild parses files of such a name.</summary>
    public static bool IsProject(string name) => Path.GetExtension(name).ToLowerInvariant() is var e &&
        (e is ".props" or ".targets" or ".tasks" or ".pubxml" or ".projitems" || e.EndsWith("proj"));

    // Read by the SDK, by NuGet, or by this program, always from places where the frontend looks for them, too.
    static bool IsSetting(string name) =>
        Path.GetFileName(name).ToLowerInvariant() is "global.json" or "nuget.config" or "dotnet-tools.json" ||
        Path.GetExtension(name).ToLowerInvariant() is ".sln" or ".slnx" or ".slnf" or ".rsp" or ".nupkg";

    /// <summary>Makes a parsed file unreadable, so that the next attempt to read it is seen, once.</summary>
    public void Close(string path)
    {
        if (given.Contains(path)) return;
        File.SetUnixFileMode(path, UnixFileMode.None);
        closed.Add(path);
    }

    /// <summary>Makes all closed files readable again: the next evaluation of everything parses them anew.</summary>
    public void Reopen()
    {
        foreach (var path in closed.Where(File.Exists))
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            if (contents.TryGetValue(path.Substring(Root.Length), out var bytes)) File.WriteAllBytes(path, bytes);
        }
        closed.Clear();
    }

    public bool IsIn(string path) => path.StartsWith(Root, StringComparison.Ordinal);

    /// <summary>Whether there is such a file in the context. The path is absolute and normal.</summary>
    public bool HasFile(string path) => files.Contains(path) ||
        links.Count > 0 && IsIn(path) && File.Exists(path) && !IsBrought(path);

    /// <summary>Whether there is such a folder in the context. The path has no slash at its end.</summary>
    public bool HasFolder(string path) =>
        folders.Contains(path) ||
        links.Count > 0 && IsIn(path) && Directory.Exists(path) && !IsBrought(path);

    /// <summary>All files below a folder.</summary>
    public IEnumerable<string> FilesIn(string folder) => Directory.Exists(folder)
        ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(f => !IsBrought(f))
        : Array.Empty<string>();

    /// <summary>
    /// Gives a file the contents that were wanted. If they are not known, it invents some, so that the evaluation goes
    /// on and wants the next file. True if that changed anything.
    /// </summary>
    public bool Give(string path, bool asProject)
    {
        path = Real(path);
        var name = path.Substring(Root.Length);
        if (!File.Exists(path) || File.GetUnixFileMode(path) != UnixFileMode.None || given.Contains(path)) return false;
        given.Add(path);
        var known = contents.TryGetValue(name, out var bytes);
        if (!known)
        {
            asks.Add(name);
            bytes = Encoding.UTF8.GetBytes(Invented(name, asProject));
        }
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllBytes(path, bytes);
        return true;
    }

    /// <summary>Files that had no contents at first.</summary>
    public IEnumerable<string> Given => given;

    // The path without links. One that leads out of the context stays as it is.
    string Real(string path)
    {
        for (var hops = 0; hops < 40; hops++)
        {
            var link = links.Keys.FirstOrDefault(l => path == l || path.StartsWith(l + "/", StringComparison.Ordinal));
            if (link == null) break;
            var end = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(link), links[link]));
            path = end + path.Substring(link.Length);
        }
        return path;
    }

    static string Invented(string name, bool asProject) => Path.GetExtension(name).ToLowerInvariant() switch
    {
        ".json" => "{}",
        ".config" => "<configuration />",
        ".xml" or ".props" or ".targets" or ".nuspec" => "<Project />",
        _ => asProject ? "<Project />" : "1.0.0\n",
    };

    /// <summary>Whether a file with one of some names is in a folder, at any depth.</summary>
    public bool HasFileIn(string folder, HashSet<string> names) =>
        files.Any(f => f.StartsWith(folder, StringComparison.Ordinal) && names.Contains(Path.GetFileName(f)));

    /// <summary>Removes a folder of outputs, with all names in it. True if there was one.</summary>
    public bool Remove(string folder)
    {
        if (!folders.Contains(folder)) return false;
        outputs.Add(folder.Substring(Root.Length));
        files.RemoveWhere(f => f.StartsWith(folder + "/", StringComparison.Ordinal));
        folders.RemoveWhere(f => f == folder || f.StartsWith(folder + "/", StringComparison.Ordinal));
        Directory.Delete(folder, recursive: true);
        brought.RemoveWhere(f => f.StartsWith(folder + "/", StringComparison.Ordinal));
        Bring("");
        return true;
    }
}
