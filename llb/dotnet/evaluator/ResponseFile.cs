using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Crosshull;

/// <summary>
/// Files of switches for every command on a project. The command line of MSBuild obeys them (XMake,
/// CheckAndGatherProjectAutoResponseFile), but an evaluation by the API does not. So this reads the properties in them.
/// </summary>
static class ResponseFile
{
    /// <summary>
    /// The nearest Directory.Build.rsp from the folder of a project upwards, and then MSBuild.rsp beside the project,
    /// whose switches win.
    /// </summary>
    public static IEnumerable<string> Find(Tree tree, string project)
    {
        var own = Path.GetDirectoryName(project);
        var folder = own;
        while ((folder + "/").StartsWith(tree.Root) && !tree.HasFile(folder + "/Directory.Build.rsp"))
            folder = Path.GetDirectoryName(folder);
        return new[] { folder + "/Directory.Build.rsp", own + "/MSBuild.rsp" }.Where(tree.HasFile);
    }

    /// <summary>
    /// The file and all that it names as <c>@FILE</c>, see <see cref="Find"/>. FILE is relative to the folder that the
    /// command runs in.
    /// </summary>
    public static IEnumerable<string> Files(Tree tree, string file)
    {
        var seen = new HashSet<string>();
        var next = new Queue<string>(new[] { file });
        while (next.TryDequeue(out var found))
            if (tree.HasFile(found) && seen.Add(found))
                foreach (var word in Words(found).Where(w => w.StartsWith('@')))
                    next.Enqueue(Path.GetFullPath(Path.Combine(tree.Start, word.Substring(1))));
        return seen;
    }

    /// <summary>The properties that the file sets, in the order of their switches.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Properties(Tree tree, string file) =>
        from part in Files(tree, file)
        from word in Words(part)
        let text = Defined(word)
        where text != null
        from property in Globals.Parse(text)
        select property;

    // The words of a file. A file without contents is asked for, see Trap.
    static IEnumerable<string> Words(string file)
    {
        try
        {
            var folder = Path.GetDirectoryName(file) + "/";
            return File.ReadAllLines(file).SelectMany(line => Split(line.Replace("%MSBuildThisFileDirectory%", folder)))
                .ToList();
        }
        catch (UnauthorizedAccessException)
        {
            return Array.Empty<string>();
        }
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
    static IEnumerable<string> Split(string line)
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
