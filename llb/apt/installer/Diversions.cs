#nullable enable

using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Crosshull.Packages;

/// <summary>A line of dpkg-divert(1): where the files of all packages go but those of one.</summary>
/// <param name="Package">The package that diverts; ":" if it was no package.</param>
sealed record Diversion(string From, string To, string Package);

/// <summary>
/// What scripts divert, and divert no more. An image gets the diversions of the twin. Its files move when those of the
/// twin did: before dpkg unpacks if something is in the other place now, and afterwards if it is not.
/// </summary>
sealed class Diversions(Request request, Translation translation, string architecture)
{
    const string List = "diversions";

    readonly IReadOnlyList<Diversion> before = Read(request.Pristine), after = Read(request.Installed);
    readonly IReadOnlyList<Diversion> ofTarget = Read(request.Target);

    bool Changed => !before.SequenceEqual(after);

    IEnumerable<Diversion> Added => after.Except(before);

    /// <summary>Does what a script did before dpkg unpacked.</summary>
    internal void Begin()
    {
        if (!Changed)
            return;
        var early = Added.Where(IsEarly).ToArray();
        foreach (var diversion in early)
        {
            Check(diversion);
            var old = before.FirstOrDefault(d => d.From == diversion.From);
            var was = old?.To ?? diversion.From;
            if (Moved(was, diversion.To))
                Move(was, diversion.To);
        }
        var here = early.Select(Translated).ToArray();
        var places = here.Select(d => d.From).ToHashSet();
        // One that is removed stays for now: its file is in the other place.
        Write([.. ofTarget.Where(d => !places.Contains(d.From)), .. here]);
    }

    /// <summary>Does the rest.</summary>
    internal void End()
    {
        if (!Changed)
            return;
        foreach (var gone in before.Where(b => after.All(a => a.From != b.From)))
            if (Posix.Look(request.Installed + gone.To) == null && Posix.Look(request.Installed + gone.From) != null)
                Move(gone.To, gone.From);
        var was = before.Select(Translated).ToArray();
        Write(ofTarget.SequenceEqual(was)
            ? after.Select(Translated)
            : ofTarget.Except(was).Concat(after.Select(Translated)).Distinct());
        Tree.CopyRights(Name(request.Installed), Name(request.Target));
    }

    // Whether the diversion was there before dpkg unpacked. It was not if a file of another package has the diverted
    // name: then the script ran later, and moved nothing.
    bool IsEarly(Diversion diversion) =>
        Posix.Look(request.Installed + diversion.To) != null ||
        Posix.Look(request.Installed + diversion.From) == null ||
        Database.Paths(request.Installed, diversion.Package, architecture).Contains(diversion.From);

    void Check(Diversion diversion)
    {
        var here = Translated(diversion);
        var other = ofTarget.FirstOrDefault(d => d.From == here.From && d != here);
        if (other != null && !before.Select(Translated).Contains(other))
            throw new Mistake($"{diversion.Package}: a script diverts {here.From} to {here.To}, and the base for " +
                $"this platform has it at {other.To}");
    }

    // Whether a script moved a file of the base away: there may be another one in its place.
    bool Moved(string from, string to)
    {
        string was = request.Pristine + from, now = request.Installed + to;
        return Posix.Look(was) is { IsFolder: false } && Posix.Look(request.Pristine + to) == null &&
            Posix.Look(now) is { IsFolder: false } && SameFile(was, now);
    }

    static bool SameFile(string a, string b) =>
        (new FileInfo(a).LinkTarget, new FileInfo(b).LinkTarget) is var (one, other) && one == other &&
        (one != null || Tree.SameContent(a, b));

    void Move(string from, string to)
    {
        string here = request.Target + translation.Path(from), there = request.Target + translation.Path(to);
        if (Posix.Look(here) is { IsFolder: false } && Posix.Look(there) == null)
            Tool.Output("mv", "-T", here, there);
    }

    Diversion Translated(Diversion d) => new(translation.Path(d.From), translation.Path(d.To), d.Package);

    static string Name(string root) => Path.Combine(root, Database.Folder, List);

    // The database has three lines for each.
    static Diversion[] Read(string root) =>
        Texts.Of(Name(root)).Split('\n').Chunk(3).Where(lines => lines.Length == 3)
            .Select(lines => new Diversion(lines[0], lines[1], lines[2])).ToArray();

    void Write(IEnumerable<Diversion> all) => File.WriteAllText(
        Name(request.Target), string.Concat(all.Select(d => $"{d.From}\n{d.To}\n{d.Package}\n")), Encoding.Latin1);
}
