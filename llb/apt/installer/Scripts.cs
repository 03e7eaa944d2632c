#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;

namespace Crosshull.Packages;

/// <summary>The scripts of the packages that an image gets, and which of them may be skipped.</summary>
sealed class Scripts(IReadOnlyList<Archive> archives, IReadOnlySet<string> skipped)
{
    /// <summary>
    /// Throws if what a script did to a path cannot be done for another platform, unless the scripts of that package
    /// may be skipped.
    /// </summary>
    internal void Refuse(string does, string path, string why)
    {
        var packages = Packages(path);
        if (packages.Length == 0)
            throw new Mistake($"a package of the base: a script {does} /{path}, {why}");
        var left = packages.Except(skipped).ToArray();
        if (left.Length > 0)
            throw new Mistake($"{string.Join(" or ", left)}: a script {does} /{path}, {why}. skip-scripts: " +
                $"[{string.Join(", ", left)}] installs the package{(left.Length > 1 ? "s" : "")} without it");
    }

    /// <summary>Whether a script has the name of a file, as one that copies the file has.</summary>
    internal bool Name(string path)
    {
        var name = new Regex($@"(?<![\w.-]){Regex.Escape(Path.GetFileName(path))}(?![\w.-])");
        return archives.SelectMany(a => a.Scripts).Any(s => name.IsMatch(Encoding.Latin1.GetString(s.Text)));
    }

    // The packages whose scripts may have done it: those whose scripts name the file, or else its folder; or else all
    // with scripts.
    string[] Packages(string path)
    {
        static bool Mention(Archive archive, string name) =>
            archive.Scripts.Any(script => Encoding.Latin1.GetString(script.Text).Contains(name));
        var found = Names(path).Select(name => archives.Where(a => Mention(a, name)).ToArray())
            .FirstOrDefault(all => all.Length > 0) ?? archives.Where(a => a.Scripts.Count > 0);
        return found.Select(a => a.Package).ToArray();
    }

    static IEnumerable<string> Names(string path)
    {
        yield return Path.GetFileName(path);
        yield return path.Split(':', '/')[^1]; // ucf keeps /etc/a/b as :etc:a:b
        for (var dir = path; (dir = Path.GetDirectoryName(dir)) != null && dir.Count(c => c == '/') > 1;)
            yield return dir;
    }
}
