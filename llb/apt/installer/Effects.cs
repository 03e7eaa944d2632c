#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Crosshull.Packages;

/// <summary>
/// What the scripts of packages did to the twin: how it differs from the same image whose packages are only unpacked.
/// </summary>
sealed class Effects
{
    readonly Request request;
    readonly Translation translation;
    readonly Scripts scripts;
    readonly SortedDictionary<string, Stat> before, after;
    readonly SortedDictionary<string, Stat> changed = new(StringComparer.Ordinal);
    readonly ILookup<(ulong, ulong), string> names; // of files of the twin that have several, by what these share

    internal Effects(Request request, Translation translation, Scripts scripts)
    {
        (this.request, this.translation, this.scripts) = (request, translation, scripts);
        before = Tree.Scan(request.Unpacked, Skipped);
        after = Tree.Scan(request.Installed, Skipped);
        foreach (var (path, stat) in after)
            if (!Tidy.IsLog(path, stat) && !IsUseless(path, stat) &&
                !(before.TryGetValue(path, out var was) && Same(path, was, stat)))
                changed[path] = stat;
        names = after.Where(e => e.Value is { IsFile: true, Names.Count: > 1 })
            .ToLookup(e => Shared(e.Value), e => e.Key);
    }

    static (ulong, ulong) Shared(Stat stat) => (stat.Names.Device, stat.Inode.Number);

    // dpkg has written these for the image itself, or another class does, or Tidy takes care of them.
    static bool Skipped(string path) =>
        path is "etc/ld.so.cache" or AptStates.File or "dev" or "proc" or "sys" or "run" or "tmp" or
            "var/lib/dpkg/info" or "var/lib/dpkg/updates" or "var/lib/dpkg/triggers" or "var/lib/dpkg/arch" or
            "var/lib/dpkg/diversions" ||
        path.StartsWith("var/lib/dpkg/status") || path.StartsWith("var/lib/dpkg/lock") || Tidy.LeftOut(path);

    // fontconfig looks for a cache by a name that says how memory is laid out, and reads the fonts if there is none.
    bool IsUseless(string path, Stat stat) =>
        !translation.SameMemory && stat.IsFile && path.StartsWith("var/cache/fontconfig/", StringComparison.Ordinal) &&
        path.Contains(".cache-");

    internal void Apply()
    {
        var contents = new Contents(request, translation, scripts, before);
        // First what scripts copied or moved, while it is there.
        foreach (var (path, stat) in changed.Where(e => e.Value.IsFile))
            contents.Stage(path, stat);
        // Then what is gone: a script may have put a link in the place of a folder.
        foreach (var path in before.Keys.Except(after.Keys).Reverse())
            if (!Remove(Target(path)))
                scripts.Refuse("removes", path, "which has other files for this platform");
        // Modules of Python depend on their sources.
        foreach (var (path, stat) in changed.OrderBy(e => Bytecode.Source(e.Key) != null))
            Put(path, stat, contents);
        foreach (var (path, stat) in changed.Where(e => e.Value.IsLink))
            CheckLink(path);
    }

    bool Same(string path, Stat was, Stat now)
    {
        if (was.Mode != now.Mode || was.Uid != now.Uid || was.Gid != now.Gid)
            return false;
        string a = Path.Combine(request.Unpacked, path), b = Path.Combine(request.Installed, path);
        if (now.IsLink)
            return Link(a) == Link(b);
        if (!Attributes(a).SequenceEqual(Attributes(b)))
            return false;
        // A script can keep size and time. But a file of the base that nobody touched is the same one in both.
        return !now.IsFile || was.Size == now.Size && (was.Inode == now.Inode || Tree.SameContent(a, b));
    }

    static IEnumerable<string> Attributes(string path) =>
        Posix.Attributes(path).Select(a => $"{a.Key}={Convert.ToHexString(a.Value)}");

    static string Link(string path) => new FileInfo(path).LinkTarget!;

    string Target(string path) => Path.Combine(request.Target, translation.Path(path));

    void Put(string path, Stat stat, Contents contents)
    {
        string from = Path.Combine(request.Installed, path), to = Target(path);
        if (stat.IsFolder)
        {
            if (Posix.Look(to) is { IsFolder: false }) // a link, which would lead the files elsewhere
                Remove(to);
            Directory.CreateDirectory(to);
        }
        else if (!stat.IsLink && !stat.IsFile)
        {
            scripts.Refuse("makes", path, "which is no file, folder or link");
            return;
        }
        else if (!Directory.Exists(Path.GetDirectoryName(to)))
        {
            if (!stat.IsFile || !contents.Kept(path))
                scripts.Refuse(before.ContainsKey(path) ? "changes" : "makes", path,
                    "in a folder that is not there for this platform");
            return;
        }
        else if (Posix.Look(to) is { IsFolder: true } && !Remove(to))
        {
            scripts.Refuse("makes", path, "where other files are for this platform");
            return;
        }
        else if (stat.IsLink)
        {
            Remove(to);
            var folder = Path.GetDirectoryName(translation.Path(path))!;
            File.CreateSymbolicLink(to, translation.Link(Link(from), folder));
        }
        else if (Name(path, stat) is { } name)
        {
            Remove(to);
            Posix.Link(name, to);
            return;
        }
        else
        {
            contents.Put(path, stat, to);
            return;
        }
        if (Posix.Look(to) != null)
            Tree.CopyRights(from, to);
    }

    // Another name that a file has in the twin, and that the image has by now.
    string? Name(string path, Stat stat) =>
        stat.Names.Count < 2
            ? null
            : names[Shared(stat)]
                .Where(p => p != path && (!changed.ContainsKey(p) || string.CompareOrdinal(p, path) < 0))
                .Select(Target).FirstOrDefault(p => Posix.Look(p) is { IsFile: true });

    // A link that leads somewhere in the twin leads somewhere in the image, too, unless that is left out.
    void CheckLink(string path)
    {
        if (Tree.Resolve(request.Installed, path) is { } leads && after.ContainsKey(leads.TrimStart('/')) &&
            Tree.Resolve(request.Target, translation.Path(path)) == null && Posix.Look(Target(path)) != null)
            scripts.Refuse("makes", path, $"a link to {leads}, which is not there for this platform");
    }

    // Whether nothing is left there.
    static bool Remove(string path)
    {
        if (Posix.Look(path) is not { } there)
            return true;
        if (!there.IsFolder)
            File.Delete(path);
        else if (!Directory.EnumerateFileSystemEntries(path).Any())
            Directory.Delete(path);
        else
            return false;
        return true;
    }
}
