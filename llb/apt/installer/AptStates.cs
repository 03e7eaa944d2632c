#nullable enable

using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Crosshull.Packages;

/// <summary>What apt keeps of packages that were installed only because others need them: extended_states.</summary>
/// <param name="added">The packages that the image did not have.</param>
sealed class AptStates(Request request, Translation translation, IReadOnlyList<Archive> added)
{
    internal const string File = "var/lib/apt/extended_states";

    // The fields that name a package.
    static readonly string[] names = ["Package:", "Architecture:"];

    /// <summary>
    /// The states of an image, where those of the twin became now. Packages that only one of them gets are no part of
    /// the list of what to install, so the image's are needed by others, and the twin's are none of the image.
    /// </summary>
    internal string Of(string was, string now)
    {
        var here = Texts.Of(Path.Combine(request.Target, File));
        var all = Texts.ChangedStanzas(here, translation.States(was), translation.States(now), names);
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
