#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Crosshull.Packages;

/// <summary>The scripts of the packages that an image gets, and which of them may be skipped.</summary>
sealed class Scripts(IReadOnlyList<Archive> archives, IReadOnlySet<string> skipped)
{
    /// <summary>An error for what a script did to a path, if it cannot be had on another platform. There is none if
    /// the package may be installed without its scripts.</summary>
    internal void Refuse(string does, string path, string why)
    {
        var package = Package(path);
        if (!skipped.Contains(package))
            throw new Mistake($"{package}: a script {does} /{path}, {why}. skip-scripts: [{package}] installs the " +
                "package without it");
    }

    // The package whose script did it: one whose scripts name the file, or else its folder; or else the first with
    // scripts.
    string Package(string path)
    {
        bool Mention(Archive archive, string name) =>
            archive.Scripts.Any(script => Encoding.Latin1.GetString(script.Text).Contains(name));
        var archive = Names(path).Select(name => archives.FirstOrDefault(a => Mention(a, name)))
            .FirstOrDefault(a => a != null) ?? archives.FirstOrDefault(a => a.Scripts.Count > 0);
        return archive?.Package ?? "a package";
    }

    static IEnumerable<string> Names(string path)
    {
        yield return Path.GetFileName(path);
        yield return path.Split(':', '/')[^1]; // ucf keeps /etc/a/b as :etc:a:b
        for (var dir = path; (dir = Path.GetDirectoryName(dir)) != null && dir.Count(c => c == '/') > 1;)
            yield return dir;
    }
}
