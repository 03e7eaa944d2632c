#nullable enable

using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Crosshull.Packages;

/// <summary>
/// Does what scripts do before dpkg unpacks, as the result of dpkg depends on it: users and groups, configuration files
/// that are gone, links that became folders.
/// </summary>
sealed class Early(
    Request request, Translation translation, string native, IReadOnlyList<Archive> archives, Scripts scripts)
{
    static readonly string[] accounts = ["etc/passwd", "etc/group", "etc/shadow", "etc/gshadow"];

    internal void Apply()
    {
        foreach (var name in accounts)
            Take(name, (text, was, now) => WithAccounts(name, text, was, now));
        Take("var/lib/dpkg/statoverride", WithLines);
        RemoveConffiles();
        RemoveLinks();
    }

    delegate string? Merge(string text, string was, string now);

    void Take(string name, Merge merge)
    {
        string from = Path.Combine(request.Installed, name), to = Path.Combine(request.Target, name);
        string was = Texts.Of(Path.Combine(request.Pristine, name)), now = Texts.Of(from);
        if (now == was)
            return;
        var merged = translation.Text(was) is { } before && translation.Text(now) is { } after
            ? merge(Texts.Of(to), before, after)
            : null;
        if (merged == null)
        {
            scripts.Refuse("changes", name, "and the base has another one for this platform");
            return;
        }
        File.WriteAllText(to, merged, Encoding.Latin1);
        if (File.Exists(from))
            Tree.CopyRights(from, to);
    }

    // The lines that scripts added, if the image has others than that for the build platform.
    static string? WithLines(string text, string was, string now)
    {
        if (text == was)
            return now;
        string[] before = was.Split('\n'), after = now.Split('\n');
        return before.Except(after).Any()
            ? null
            : text + string.Concat(after.Except(before).Except(text.Split('\n')).Select(line => line + "\n"));
    }

    // A name or a number that the image has for something else is a mistake that no later step would see.
    static string? WithAccounts(string file, string text, string was, string now)
    {
        var merged = WithLines(text, was, now);
        var lines = merged?.Split('\n').Select(l => l.Split(':')).Where(f => f.Length > 2).ToArray() ?? [];
        bool Unique(int field) => lines.Select(f => f[field]).Distinct().Count() == lines.Length;
        var numbered = !file.EndsWith("shadow");
        return text == was || Unique(0) && (!numbered || Unique(2)) ? merged : null;
    }

    // dpkg keeps a configuration file that a package no longer has, and remembers it as obsolete. A script that removes
    // it in advance (rm_conffile of dpkg-maintscript-helper) prevents that.
    void RemoveConffiles()
    {
        var gone = Database.Conffiles(request.Pristine).Except(Database.Conffiles(request.Installed));
        foreach (var path in gone.Where(path => Posix.Look(request.Installed + path) == null))
        {
            string was = request.Pristine + path, here = request.Target + translation.Path(path);
            if (Posix.Look(was) is { IsFile: true } && Posix.Look(here) is { IsFile: true } &&
                Tree.SameContent(was, here))
                File.Delete(here);
        }
    }

    // dpkg unpacks through a link that a script replaces by a folder (symlink_to_dir).
    void RemoveLinks()
    {
        foreach (var path in archives.SelectMany(a => Database.Paths(request.Installed, a.Package, native)))
            if (Posix.Look(request.Installed + path) is { IsFolder: true } &&
                Posix.Look(request.Pristine + path) is { IsLink: true } &&
                request.Target + translation.Path(path) is var here && Posix.Look(here) is { IsLink: true })
                File.Delete(here);
    }
}
