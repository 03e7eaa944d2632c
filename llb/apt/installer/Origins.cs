#nullable enable

using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Crosshull.Packages;

/// <summary>The file of the image that a script would copy, move or link, and whether the copy has its time.</summary>
sealed record Origin(string File, bool SameTime);

/// <summary>
/// Finds what a script copied. A file that is the same as another one of the unpacked twin is a copy of that, so the
/// image gets a copy of its own file, which may be another one: a program, or text that depends on the architecture.
/// </summary>
sealed class Origins(
    Request request, Translation translation, Scripts scripts, IReadOnlyDictionary<string, Stat> unpacked)
{
    const int Few = 64;

    readonly ILookup<long, string> bySize =
        unpacked.Where(e => e.Value is { IsFile: true, Size: > 0 }).ToLookup(e => e.Value.Size, e => e.Key);

    /// <summary>
    /// The origin of a file of the installed twin; null if there is none. ambiguous: several files may be the origin,
    /// and they differ in the image. Then the result is null.
    /// </summary>
    internal Origin? Of(string path, Stat stat, out bool ambiguous)
    {
        ambiguous = false;
        var file = Path.Combine(request.Installed, path);
        var found = bySize[stat.Size].Where(p => p != path)
            .Where(p => Tree.SameContent(Path.Combine(request.Unpacked, p), file))
            .Select(p => (Path: p, File: Path.Combine(request.Target, translation.Path(p))))
            .Where(p => Posix.Look(p.File) is { IsFile: true })
            .Select(p => (p.Path, p.File, SameTime: SameTime(unpacked[p.Path], stat),
                SameName: Path.GetFileName(p.Path) == Path.GetFileName(path)))
            // Files of few bytes are often the same by chance.
            .Where(p => stat.Size >= Few || p.SameTime || p.SameName || scripts.Name(p.Path))
            .OrderByDescending(p => p.SameTime).ThenByDescending(p => p.SameName).ToArray();
        if (found.Length == 0)
            return null;
        var best = found.TakeWhile(p => (p.SameTime, p.SameName) == (found[0].SameTime, found[0].SameName)).ToArray();
        // By chance, several may have what the script wrote, which is right as it is if one of the image has it, too.
        var same = best.FirstOrDefault(p => Tree.SameContent(p.File, file), best[0]);
        ambiguous = !Tree.SameContent(same.File, file) && best.Any(p => !Tree.SameContent(p.File, same.File));
        return ambiguous ? null : new Origin(same.File, same.SameTime);
    }

    static bool SameTime(Stat a, Stat b) => (a.Seconds, a.Nanoseconds) == (b.Seconds, b.Nanoseconds);
}
