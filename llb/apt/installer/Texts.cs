#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Crosshull.Packages;

/// <summary>Does to a text what a script did to another one.</summary>
static class Texts
{
    /// <summary>The text of a file, a character for each byte; empty if there is none.</summary>
    internal static string Of(string file) =>
        Posix.Look(file) is { IsFile: true } ? File.ReadAllText(file, Encoding.Latin1) : "";

    /// <summary>
    /// Does to text what turned was into now; null if that is not clear. If text differs from was, only lines added at
    /// the end can be taken over.
    /// </summary>
    internal static string? Changed(string text, string was, string now) =>
        text == was ? now :
        now.StartsWith(was, StringComparison.Ordinal) && (was == "" || was.EndsWith('\n')) &&
        (text == "" || text.EndsWith('\n')) ? text + now[was.Length..] : null;

    /// <summary>
    /// The same for a text of stanzas, with an empty line between two. Stanzas of a text have different names, each in
    /// lines that begin with one of some fields.
    /// </summary>
    internal static string ChangedStanzas(string text, string was, string now, params string[] fields)
    {
        if (text == was)
            return now;
        Dictionary<string, string> before = Stanzas(was, fields), after = Stanzas(now, fields);
        var all = Stanzas(text, fields);
        foreach (var gone in before.Keys.Except(after.Keys))
            all.Remove(gone);
        foreach (var (name, stanza) in after)
            if (before.GetValueOrDefault(name) != stanza)
                all[name] = stanza;
        return string.Concat(all.Values.Select(stanza => stanza + "\n\n"));
    }

    /// <summary>The stanzas of a text, by the lines that name them.</summary>
    internal static Dictionary<string, string> Stanzas(string text, string[] fields)
    {
        string Key(string stanza) => string.Join('\n', stanza.Split('\n').Where(l => fields.Any(l.StartsWith)));
        return text.Split("\n\n").Select(s => s.Trim('\n')).Where(s => s != "").GroupBy(Key)
            .ToDictionary(g => g.Key, g => g.Last());
    }
}
