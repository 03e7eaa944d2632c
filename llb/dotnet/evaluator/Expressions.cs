using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using Microsoft.Build.Construction;

namespace Crosshull;

/// <summary>Finds expressions of MSBuild in conditions and values.</summary>
static class Expressions
{
    /// <summary>
    /// The arguments of Exists in a text: of the function of conditions, and of the functions of System.IO, which also
    /// take a path.
    /// </summary>
    public static IEnumerable<string> Existing(string text) =>
        from Match call in Regex.Matches(text, @"\bExists\s*\(\s*('(?<path>[^']*)'|`(?<path>[^`]*)`|" +
            "\"(?<path>[^\"]*)\"" + @"|(?<path>\$\([^()]*(\([^()]*\)[^()]*)*\)[^()]*))\s*\)", RegexOptions.IgnoreCase)
        select call.Groups["path"].Value;

    /// <summary>Functions that look at names or at times, other than Exists, in a text.</summary>
    public static IEnumerable<string> Looking(string text) =>
        from Match call in Regex.Matches(text,
            @"\[System\.IO\.(File|Directory)\]::(?!Exists|ReadAll|ReadLines)\w+|System\.IO\.(File|Directory)Info|" +
            @"\[MSBuild\]::(GetPathOfFileAbove|GetDirectoryNameOfFileAbove|FileExists|DirectoryExists)|" +
            @"%\((\w+\.)?(Modified|Created|Accessed)Time\)", RegexOptions.IgnoreCase)
        select call.Value;

    /// <summary>
    /// Paths in a text with metadata of items, as in <c>data/%(X.Filename).txt</c>, or with a property: the item type
    /// or the property, and what is before it. The item type is empty in <c>data/%(Filename).txt</c>.
    /// </summary>
    public static IEnumerable<(string Name, bool IsProperty, string Before)> Paths(string text) =>
        (from Match path in Regex.Matches(text,
            @"(?<before>[^;%@'""]*[/\\][^;%@'""]*)%\(\s*(?:(?<type>\w+)\.)?|" +
            @"@\(\s*(?<type>\w+)\s*(->\s*\w+\([^()]*\)\s*)*->\s*'(?<before>[^'%]+)%\(")
        select (path.Groups["type"].Value, false, path.Groups["before"].Value)).Concat(
        from Match property in Regex.Matches(text, @"\$\(\s*(?<name>\w+)")
        let before = text.Substring(0, property.Index)
        let begin = before.LastIndexOfAny(";'\"\n ".ToCharArray()) + 1
        where before.IndexOfAny("/\\".ToCharArray(), begin) >= 0
        select (property.Groups["name"].Value, true, before.Substring(begin)));

    /// <summary>
    /// The text of an element with the folder of its file: an instance has the folder of the project in its place.
    /// </summary>
    public static string Here(string text, ProjectElement element) => text.Replace("$(MSBuildThisFileDirectory)",
        element.ContainingProject.DirectoryPath + "/", StringComparison.OrdinalIgnoreCase);

    // Whether an item element removes all items of its own type.
    static bool Empties(ProjectItemElement item) =>
        Regex.IsMatch(item.Remove, @"^\s*@\(\s*" + item.ItemType + @"\s*\)\s*$", RegexOptions.IgnoreCase);

    /// <summary>
    /// What removes items that another list may have got before, by their names: the removers among elements, in their
    /// order.
    /// </summary>
    public static IEnumerable<ProjectItemElement> Later(IEnumerable<ProjectElement> elements)
    {
        var used = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var element in elements)
        {
            var item = element as ProjectItemElement;
            if (item is { Remove: not "" } && (Empties(item) || used.Contains(item.ItemType))) yield return item;
            var text = element switch
            {
                ProjectItemElement i => i.Include + i.Exclude + i.Remove,
                ProjectMetadataElement m => m.Value,
                ProjectPropertyElement p => p.Value,
                ProjectTaskElement t => string.Join(" ", t.Parameters.Values),
                _ => "",
            };
            used.UnionWith(Used(text + element.Condition).Where(name => name != item?.ItemType));
        }
    }

    /// <summary>Whether a text has metadata without an item type, as in <c>%(FullPath)</c>.</summary>
    public static bool HasUnqualified(string text) => Regex.IsMatch(text, @"%\(\s*[\w-]+\s*\)");

    /// <summary>The item lists in a text, each once.</summary>
    public static IEnumerable<string> Lists(string text) =>
        Regex.Matches(text, @"@\(\s*([\w-]*\w)").Select(m => "@(" + m.Groups[1].Value + ")").Distinct();

    /// <summary>The names of properties, items, and metadata whose values a text uses.</summary>
    public static IEnumerable<string> Used(string text) =>
        from Match use in Regex.Matches(text, @"(?:[$@]\(|%\((?:\s*(?<name>[\w-]+)\s*\.)?)\s*(?<name>[\w-]*\w)")
        from Capture name in use.Groups["name"].Captures
        select name.Value;

    /// <summary>
    /// A condition that is true, and makes the same batches as another one: MSBuild looks at each item of a list where
    /// a condition has its metadata.
    /// </summary>
    public static string Batching(string condition)
    {
        var metadata = string.Concat(Regex.Matches(condition, @"%\([^()]*\)").Select(m => m.Value));
        return metadata == "" ? "" : "'" + metadata + "' != '*'";
    }
}
