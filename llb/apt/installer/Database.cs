#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Crosshull.Packages;

/// <summary>The database of dpkg below a root.</summary>
static class Database
{
    internal const string Folder = "var/lib/dpkg";

    /// <summary>dpkg's name for the architecture of an image: that of its own dpkg.</summary>
    internal static string Architecture(string root)
    {
        var status = File.ReadAllText(Path.Combine(root, Folder, "status"));
        var match = ofDpkg.Match(status);
        return match.Success ? match.Groups[1].Value : throw new Mistake("the base has apt, but not the package dpkg");
    }

    /// <summary>The order of two versions, as deb-version(7) has it.</summary>
    internal static int Compare(string a, string b) =>
        Is(a, "eq", b) ? 0 : Is(a, "lt", b) ? -1 : 1;

    static bool Is(string a, string how, string b) =>
        Tool.Run("dpkg", ["--compare-versions", a, how, b], show: false).Code == 0;

    /// <summary>
    /// Names and versions of the packages that a root has. A package that was removed, but for its configuration, is
    /// none.
    /// </summary>
    internal static Dictionary<string, string> Versions(string root)
    {
        var versions = new Dictionary<string, string>();
        foreach (var words in Query(root, "${Package} ${Version} ${db:Status-Status}\n").Select(l => l.Split(' ')))
            if (words[2] is not ("config-files" or "not-installed"))
                versions[words[0]] = words[1];
        return versions;
    }

    /// <summary>The configuration files that the database has, as paths.</summary>
    internal static HashSet<string> Conffiles(string root) =>
        Query(root, "${Conffiles}\n").Select(l => l.Trim().Split(' ')[0]).Where(l => l != "").ToHashSet();

    /// <summary>The paths of a package, for an architecture; none if a root does not have it.</summary>
    internal static IEnumerable<string> Paths(string root, string package, string architecture) =>
        Info(root, package, architecture, "list").SelectMany(File.ReadLines);

    /// <summary>Whether scripts run when a package is installed.</summary>
    internal static bool HasScripts(string root, string package, string architecture) =>
        new[] { "preinst", "postinst", "config" }.SelectMany(s => Info(root, package, architecture, s)).Any();

    // The file with something of a package: its name has the architecture if several of them can be installed.
    static IEnumerable<string> Info(string root, string package, string architecture, string what) =>
        new[] { $"{package}.{what}", $"{package}:{architecture}.{what}" }
            .Select(name => Path.Combine(root, Folder, "info", name)).Where(File.Exists).Take(1);

    static string[] Query(string root, string format) =>
        Tool.Output("dpkg-query", "--admindir=" + Path.Combine(root, Folder), "-W", "-f=" + format)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);

    static readonly Regex ofDpkg = new(@"^Package: dpkg$(?:\n(?!$).*)*?\nArchitecture: (\S+)$", RegexOptions.Multiline);
}
