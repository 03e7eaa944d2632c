#nullable enable

using System;
using System.Diagnostics;
using System.IO;
using System.Linq;

namespace Crosshull.Packages;

/// <summary>Makes the result of an installation the same on every machine and every day.</summary>
static class Tidy
{
    /// <summary>
    /// Whether an image should not get a path from an installation: lists and caches of apt, ids and keys that are
    /// random, and what is only there while the machine runs.
    /// </summary>
    internal static bool LeftOut(string path) =>
        path is "etc/machine-id" or "var/lib/dbus/machine-id" or "var/lib/systemd/random-seed" or "etc/.pwd.lock" or
            "etc/ssl/private/ssl-cert-snakeoil.key" or "etc/ssl/certs/ssl-cert-snakeoil.pem" ||
        path.StartsWith("etc/ssh/ssh_host_", StringComparison.Ordinal) ||
        In(path, "var/cache/apt") || In(path, "var/cache/ldconfig") ||
        In(path, "var/lib/apt/lists") || In(path, "run") || In(path, "tmp") || In(path, "var/tmp");

    /// <summary>Whether a file is a log. The folders of logs stay.</summary>
    internal static bool IsLog(string path, Stat stat) => In(path, "var/log") && !stat.IsFolder;

    static bool In(string path, string folder) => path.StartsWith(folder + "/", StringComparison.Ordinal);

    /// <summary>Copies what an installation leaves out, for <see cref="Restore"/>. The result is a folder.</summary>
    internal static string Keep(string root)
    {
        var folder = Directory.CreateTempSubdirectory().FullName;
        foreach (var (path, stat) in Tree.Scan(root, path => false).Where(e => LeftOut(e.Key) || IsLog(e.Key, e.Value)))
        {
            string from = Path.Combine(root, path), to = Path.Combine(folder, path);
            Directory.CreateDirectory(stat.IsFolder ? to : Path.GetDirectoryName(to)!);
            if (stat.IsFolder)
                Tree.CopyRights(from, to);
            else
                Tool.Output("cp", "-a", "-T", from, to);
        }
        return folder;
    }

    /// <summary>Gives what an installation leaves out the content that it had before.</summary>
    internal static void Restore(string root, string pristine)
    {
        var before = Tree.Scan(pristine, path => false);
        var after = Tree.Scan(root, path => false);
        foreach (var path in after.Keys.Where(p => LeftOut(p) || IsLog(p, after[p])).Reverse())
        {
            var file = Path.Combine(root, path);
            if (!before.TryGetValue(path, out var was))
                Delete(file, after[path]);
            else if (was.IsFile && !Tree.SameContent(Path.Combine(pristine, path), file))
                Tool.Output("cp", "-a", "--remove-destination", Path.Combine(pristine, path), file);
        }
        foreach (var path in before.Keys.Where(p => (LeftOut(p) || IsLog(p, before[p])) && !after.ContainsKey(p)))
            Tool.Output("cp", "-a", "-T", Path.Combine(pristine, path), Path.Combine(root, path));
    }

    /// <summary>Whether the packages made a cache of fonts.</summary>
    internal static bool CachesFonts(Request request)
    {
        const string folder = "var/cache/fontconfig";
        static int Count(string dir) => Directory.Exists(dir) ? Directory.GetFiles(dir, "*.cache-*").Length : 0;
        return File.Exists("/usr/bin/fc-cache") &&
            Count(Path.Combine("/", folder)) > Count(Path.Combine(request.Pristine, folder));
    }

    /// <summary>Gives new users a fixed date in shadow(5), where useradd writes that of today.</summary>
    internal static void FixDates(Request request)
    {
        string[] names = ["etc/shadow", "etc/shadow-"];
        // The backup gets the users of the base, too, when a script adds one.
        var known = names.Select(name => Path.Combine(request.Pristine, name)).Where(File.Exists)
            .SelectMany(File.ReadAllLines).ToHashSet();
        foreach (var file in names.Select(name => Path.Combine("/", name)).Where(File.Exists))
        {
            var lines = File.ReadAllLines(file);
            foreach (var i in Enumerable.Range(0, lines.Length).Where(i => !known.Contains(lines[i])))
            {
                var fields = lines[i].Split(':');
                if (fields.Length > 2 && fields[2] != "")
                    fields[2] = $"{request.Time / 86400}";
                lines[i] = string.Join(":", fields);
            }
            if (!lines.SequenceEqual(File.ReadAllLines(file)))
                File.WriteAllText(file, string.Join("\n", lines) + "\n");
        }
    }

    static void Delete(string file, Stat stat)
    {
        if (!stat.IsFolder)
            File.Delete(file);
        else
            Directory.Delete(file);
    }

    /// <summary>Gives all that has changed since this program started the time of the request.</summary>
    internal static void FixTimes(string root, long time)
    {
        var start = new DateTimeOffset(Process.GetCurrentProcess().StartTime).ToUnixTimeSeconds() - 1;
        foreach (var (path, stat) in Tree.Scan(root, path => false).Reverse())
            if (stat.Seconds >= start)
                Posix.Touch(Path.Combine(root, path), time, 0);
    }
}
