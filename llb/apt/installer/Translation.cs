#nullable enable

using System;
using System.Text;
using System.Text.RegularExpressions;

namespace Crosshull.Packages;

/// <summary>
/// Turns what names the architecture of the build platform into what names that of an image. GNU's name is in paths
/// alone, and is replaced everywhere. dpkg's name is also a word of texts, so it is replaced only in the path of a file
/// that the image has.
/// </summary>
sealed class Translation(string from, string to, string root)
{
    readonly Architecture source = Architecture.Of(from), target = Architecture.Of(to);

    /// <summary>Whether numbers have their bytes in the same order for the image and the twin.</summary>
    internal bool SameByteOrder => source.IsBigEndian == target.IsBigEndian;

    /// <summary>Whether addresses have as many bytes, and these the same order, for the image and the twin.</summary>
    internal bool SameMemory => source.IsWide == target.IsWide && SameByteOrder;

    /// <summary>The path of the image for a path of the twin.</summary>
    internal string Path(string path) => Path(path, "");

    /// <summary>Where a link of the image leads, for where that of the twin leads. Both are in a folder.</summary>
    internal string Link(string to, string folder) => Path(to, to.StartsWith('/') ? "" : folder);

    string Path(string path, string folder)
    {
        path = Tuple(path);
        if (from == to || !path.Contains(from))
            return path;
        var other = path.Replace(from, to);
        var full = System.IO.Path.Combine(folder, other);
        return Exists(full) ||
            !Exists(System.IO.Path.Combine(folder, path)) && Exists(System.IO.Path.GetDirectoryName(full) ?? "")
            ? other
            : path;
    }

    string Tuple(string text) => from == to ? text : source.ReplaceTuple(text, target);

    bool Exists(string path) => path != "" && Posix.Look(System.IO.Path.Combine(root, path.TrimStart('/'))) != null;

    /// <summary>The text of the image for a text of the twin; null if the text names the architecture of the twin in
    /// a way that nobody knows how to translate.</summary>
    internal string? Text(string text)
    {
        if (from == to)
            return text;
        text = Regex.Replace(text, $@"(?<=[a-z0-9.+-]):{Regex.Escape(from)}\b", ":" + to); // as in libc6:amd64
        text = paths.Replace(Tuple(text), m => m.Value.Contains(from) && Exists(m.Value.Replace(from, to))
            ? m.Value.Replace(from, to)
            : m.Value);
        return Names(Encoding.Latin1.GetBytes(text)) ? null : text;
    }

    /// <summary>The states of packages that apt keeps, for the image.</summary>
    internal string States(string text) =>
        Regex.Replace(text, $"^Architecture: {Regex.Escape(from)}$", $"Architecture: {to}", RegexOptions.Multiline);

    /// <summary>Whether a text names the architecture of the twin.</summary>
    internal bool Names(ReadOnlySpan<byte> text) => from != to && source.IsNamedIn(text);

    static readonly Regex paths = new(@"/[^\s:""'=,;]+");
}
