using System.Collections.Generic;
using System.IO;
using System.Text;

namespace Crosshull;

/// <summary>
/// Directory.Build.rsp: switches for every command in and below its folder. The command line of MSBuild obeys it
/// (XMake), but an evaluation by the API does not. So this reads the properties in it.
/// </summary>
static class ResponseFile
{
    /// <summary>The nearest one from the folder of a project upwards; null for none.</summary>
    public static string Find(Tree tree, string project)
    {
        var folder = Path.GetDirectoryName(project);
        while ((folder + "/").StartsWith(tree.Root))
        {
            if (tree.HasFile(folder + "/Directory.Build.rsp")) return folder + "/Directory.Build.rsp";
            folder = Path.GetDirectoryName(folder);
        }
        return null;
    }

    /// <summary>The properties that it sets, in the order of their switches.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Properties(string file)
    {
        foreach (var line in File.ReadAllLines(file))
            foreach (var word in Words(line.Replace("%MSBuildThisFileDirectory%", Path.GetDirectoryName(file) + "/")))
                if (Defined(word) is { } text)
                    foreach (var property in Globals.Parse(text)) yield return property;
    }

    // What a switch such as -p:A=1 defines; null for another one.
    static string Defined(string word)
    {
        var at = word.IndexOf(':');
        if (at < 2 || word[0] is not ('-' or '/')) return null;
        var name = word.Substring(1, at - 1).TrimStart('-').ToLowerInvariant();
        return name is "p" or "property" ? word.Substring(at + 1) : null;
    }

    // A word ends with white space outside of quotes. The quotes are no part of it. A line that begins with # is a
    // comment.
    static IEnumerable<string> Words(string line)
    {
        if (line.TrimStart().StartsWith('#')) yield break;
        var word = new StringBuilder();
        var quoted = false;
        foreach (var c in line + " ")
        {
            if (c == '"') quoted = !quoted;
            else if (!quoted && char.IsWhiteSpace(c))
            {
                if (word.Length > 0) yield return word.ToString();
                word.Clear();
            }
            else word.Append(c);
        }
        if (word.Length > 0) yield return word.ToString();
    }
}
