#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Crosshull.Packages;

/// <summary>Files below a root.</summary>
static class Tree
{
    /// <summary>All paths below a root, sorted. It leaves out mounts, and paths that skip names.</summary>
    internal static SortedDictionary<string, Stat> Scan(string root, Func<string, bool> skip)
    {
        var mounts = Mounts();
        var all = new SortedDictionary<string, Stat>(StringComparer.Ordinal);
        var left = new Stack<string>([""]);
        while (left.TryPop(out var dir))
            foreach (var entry in Directory.EnumerateFileSystemEntries(Path.Combine(root, dir)))
            {
                var path = Path.Combine(dir, Path.GetFileName(entry));
                if (skip(path) || mounts.Contains(entry))
                    continue;
                var stat = Posix.Look(entry) ??
                    throw new Mistake("the base or a package has a file whose name is no UTF-8, which is not " +
                        $"supported: {entry}");
                all[path] = stat;
                if (stat.IsFolder)
                    left.Push(path);
            }
        return all;
    }

    static HashSet<string> Mounts() =>
        File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')[4]).Where(m => m != "/").ToHashSet();

    internal static bool SameContent(string a, string b)
    {
        using FileStream one = File.OpenRead(a), other = File.OpenRead(b);
        if (one.Length != other.Length)
            return false;
        byte[] left = new byte[65536], right = new byte[65536];
        for (int read; (read = one.ReadAtLeast(left, left.Length, throwOnEndOfStream: false)) > 0;)
        {
            other.ReadExactly(right, 0, read);
            if (!left.AsSpan(0, read).SequenceEqual(right.AsSpan(0, read)))
                return false;
        }
        return true;
    }

    /// <summary>Where a path leads, if a root is where absolute links begin; null if it leads nowhere.</summary>
    internal static string? Resolve(string root, string path)
    {
        var at = "/";
        var left = new Stack<string>(path.Split('/').Reverse());
        for (var links = 0; left.TryPop(out var part);)
        {
            if (part is "" or ".")
                continue;
            if (part == "..")
            {
                at = Path.GetDirectoryName(at) ?? "/";
                continue;
            }
            var next = Path.Combine(at, part);
            if (Posix.Look(root + next) is not { } stat)
                return null;
            if (!stat.IsLink)
            {
                at = next;
                continue;
            }
            if (++links > 40)
                return null;
            var target = new FileInfo(root + next).LinkTarget!;
            if (target.StartsWith('/'))
                at = "/";
            foreach (var name in target.Split('/').Reverse())
                left.Push(name);
        }
        return at;
    }

    /// <summary>The file that a path of a root leads to; null if it leads to none.</summary>
    internal static string? FileAt(string root, string path) =>
        Resolve(root, path) is { } real && Posix.Look(root + real) is { IsFile: true } ? root + real : null;

    /// <summary>Gives a file the owner, mode, attributes and time of another.</summary>
    internal static void CopyRights(string from, string to)
    {
        var stat = Posix.Look(from)!.Value;
        Posix.Chown(to, stat.Uid, stat.Gid);
        if (!stat.IsLink)
            Posix.Chmod(to, stat.Mode); // after chown, which takes setuid away
        var wanted = Posix.Attributes(from);
        foreach (var name in Posix.Attributes(to).Keys.Except(wanted.Keys))
            Posix.RemoveAttribute(to, name);
        foreach (var (name, value) in wanted)
            Posix.SetAttribute(to, name, value);
        CopyTime(stat, to);
    }

    /// <summary>Gives a file a time.</summary>
    internal static void CopyTime(Stat from, string to) => Posix.Touch(to, from.Seconds, from.Nanoseconds);
}
