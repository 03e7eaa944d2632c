#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Crosshull.Packages;

/// <summary>
/// What the scripts of packages did to the twin: how it differs from the same image whose packages are only unpacked.
/// </summary>
sealed class Effects(Request request, Translation translation, IReadOnlyList<Archive> archives)
{
    // dpkg has written these for the image itself, or Tidy takes care of them.
    static bool Skipped(string path) =>
        path is "etc/ld.so.cache" or "dev" or "proc" or "sys" or "run" or "tmp" or
            "var/lib/dpkg/info" or "var/lib/dpkg/updates" or "var/lib/dpkg/triggers" or "var/lib/dpkg/arch" ||
        path.StartsWith("var/lib/dpkg/status") || path.StartsWith("var/lib/dpkg/lock") || Tidy.LeftOut(path);

    internal void Apply()
    {
        var before = Tree.Scan(request.Unpacked, Skipped);
        var after = Tree.Scan(request.Installed, Skipped);
        // First what is gone: a script may have put a link in the place of a folder.
        foreach (var path in before.Keys.Except(after.Keys).Reverse())
            Remove(Target(path));
        foreach (var (path, stat) in after)
            if (!Tidy.IsLog(path, stat) && (!before.TryGetValue(path, out var was) || !Same(path, was, stat)))
                Put(path, stat, before.ContainsKey(path));
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

    void Put(string path, Stat stat, bool unpacked)
    {
        string from = Path.Combine(request.Installed, path), to = Target(path);
        if (stat.IsFolder)
        {
            if (Posix.Look(to) is { IsFolder: false }) // a link, which would lead the files elsewhere
                Remove(to);
            Directory.CreateDirectory(to);
        }
        else if (stat.IsLink)
        {
            Remove(to);
            File.CreateSymbolicLink(to, translation.Path(Link(from)));
        }
        else if (stat.IsFile)
        {
            // A script that changed only the mode, the owner or the attributes of a file of the package.
            if (!unpacked || !Tree.SameContent(Path.Combine(request.Unpacked, path), from) || Posix.Look(to) == null)
                Write(path, from, to);
        }
        else
        {
            Refuse(path, "which is no file, folder or link");
            return;
        }
        if (Posix.Look(to) != null)
            Tree.CopyRights(from, to);
    }

    void Write(string path, string from, string to)
    {
        var bytes = File.ReadAllBytes(from);
        var text = Encoding.Latin1.GetString(bytes);
        if (path == "var/lib/apt/extended_states")
            text = translation.States(text);
        else if (bytes.AsSpan().StartsWith("\u007fELF"u8))
            text = Refuse(path, "which is a program for the build platform");
        else if (path.EndsWith(".pyc", StringComparison.Ordinal) && translation.Names(text))
            return; // Python compiles the source again, which is another one here
        else if (translation.Names(text))
            text = (bytes.Contains((byte)0) ? null : translation.Text(text)) ??
                Refuse(path, "which names the architecture of the build platform");
        if (text == null)
            return;
        Remove(to);
        File.WriteAllText(to, text, Encoding.Latin1);
    }

    // An effect that cannot be had on another platform.
    string? Refuse(string path, string why)
    {
        var package = Package(path);
        return request.SkipScripts.Contains(package)
            ? null
            : throw new Mistake($"{package}: a script makes /{path}, {why}. skip-scripts: [{package}] installs the " +
                "package without it");
    }

    static void Remove(string path)
    {
        if (Posix.Look(path) is not { } there)
            return;
        if (!there.IsFolder)
            File.Delete(path);
        else if (!Directory.EnumerateFileSystemEntries(path).Any())
            Directory.Delete(path);
    }

    // The package whose script did it: one whose scripts name the file, else the first with scripts.
    string Package(string path)
    {
        bool Mentions(Script script) => Encoding.Latin1.GetString(script.Text).Contains(Path.GetFileName(path));
        var archive = archives.FirstOrDefault(a => a.Scripts.Any(Mentions)) ??
            archives.FirstOrDefault(a => a.Scripts.Count > 0);
        return archive?.Package ?? "a package";
    }
}
