#nullable enable

using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Crosshull.Packages;

/// <summary>What apt keeps of packages that were installed only because others need them: extended_states.</summary>
/// <param name="added">The packages that the image did not have.</param>
sealed class AptStates(Request request, Translation translation, IReadOnlyList<Archive> added)
{
    internal const string File = "var/lib/apt/extended_states";

    // The fields that name a package.
    static readonly string[] names = ["Package:", "Architecture:"];

    /// <summary>
    /// Writes what the file of the image becomes. A package that only the image gets is not in the list of what to
    /// install, so another one needs it, and it is automatic. A package that only the twin gets is left out.
    /// </summary>
    internal void Write()
    {
        string from = Path.Combine(request.Installed, File), to = Path.Combine(request.Target, File);
        string here = Texts.Of(to), now = Of(here, Texts.Of(Path.Combine(request.Unpacked, File)), Texts.Of(from));
        if (now == here)
            return;
        System.IO.File.WriteAllText(to, now, Encoding.Latin1);
        if (Posix.Look(from) != null)
            Tree.CopyRights(from, to);
    }

    string Of(string here, string was, string now)
    {
        var all = was == now
            ? here
            : Texts.ChangedStanzas(here, translation.States(was), translation.States(now), names);
        var had = Texts.Stanzas(here, names);
        var known = Database.Versions(request.Target);
        var wrong = Texts.Stanzas(all, names)
            .Where(s => !had.ContainsKey(s.Key) && !known.ContainsKey(Package(s.Key))).Select(s => s.Value);
        foreach (var stanza in wrong)
            all = all.Replace(stanza + "\n\n", "");
        return all + string.Concat(Missing().Select(a =>
            $"Package: {a.Package}\nArchitecture: {Architecture(a)}\nAuto-Installed: 1\n\n"));
    }

    // apt has packages for all architectures under that of the image.
    string Architecture(Archive archive) =>
        archive.Architecture == "all" ? Database.Architecture(request.Target) : archive.Architecture;

    IEnumerable<Archive> Missing()
    {
        var twin = Database.Versions(request.Installed);
        var wanted = request.Install.Select(p => p.Split('=', '/')[0]).ToHashSet();
        return added.Where(a => !twin.ContainsKey(a.Package) && !wanted.Contains(a.Package));
    }

    static string Package(string key) => key.Split('\n')[0]["Package:".Length..].Trim();
}
