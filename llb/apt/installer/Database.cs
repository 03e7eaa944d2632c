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

    /// <summary>GNU's name for an architecture, which paths of libraries have.</summary>
    internal static string Tuple(string architecture) => architecture switch
    {
        "amd64" => "x86_64-linux-gnu",
        "arm64" => "aarch64-linux-gnu",
        "armel" => "arm-linux-gnueabi",
        "armhf" => "arm-linux-gnueabihf",
        "i386" => "i386-linux-gnu",
        "ppc64el" => "powerpc64le-linux-gnu",
        "riscv64" => "riscv64-linux-gnu",
        "s390x" => "s390x-linux-gnu",
        "loong64" => "loongarch64-linux-gnu",
        _ => throw new Mistake($"base.packages does not know the architecture {architecture}"),
    };

    /// <summary>The order of two versions, as deb-version(7) has it.</summary>
    internal static int Compare(string a, string b) =>
        Is(a, "eq", b) ? 0 : Is(a, "lt", b) ? -1 : 1;

    static bool Is(string a, string how, string b) =>
        Tool.Run("dpkg", ["--compare-versions", a, how, b], show: false).Code == 0;

    /// <summary>Names and versions of the packages that a root has.</summary>
    internal static Dictionary<string, string> Versions(string root)
    {
        var output = Tool.Output(
            "dpkg-query", "--admindir=" + Path.Combine(root, Folder), "-W", "-f=${Package} ${Version}\n");
        var versions = new Dictionary<string, string>();
        foreach (var words in output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')))
            versions[words[0]] = words[1];
        return versions;
    }

    static readonly Regex ofDpkg = new(@"^Package: dpkg$(?:\n(?!$).*)*?\nArchitecture: (\S+)$", RegexOptions.Multiline);
}
