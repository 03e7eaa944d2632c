#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Crosshull.Packages;

/// <summary>
/// The contents of files that scripts made or changed, as an image has them: those of the twin, with the names of its
/// architecture translated, or those of the file of the image that a script copied.
/// </summary>
sealed class Contents(
    Request request, Translation translation, Scripts scripts, IReadOnlyDictionary<string, Stat> unpacked)
{
    readonly Origins origins = new(request, translation, scripts, unpacked);
    // Files that scripts copied, with the time that the copy has if it keeps that of its origin.
    readonly Dictionary<string, (byte[]? Bytes, Stat? Time)> copies = [];

    string Was(string path) => Path.Combine(request.Unpacked, path);

    string Now(string path) => Path.Combine(request.Installed, path);

    /// <summary>Whether a script changed only the rights of a file, and not its content.</summary>
    internal bool Kept(string path) =>
        unpacked.TryGetValue(path, out var was) && was.IsFile && Tree.SameContent(Was(path), Now(path));

    /// <summary>Reads what a script copied to a path.</summary>
    internal void Stage(string path, Stat stat)
    {
        if (Kept(path))
            return;
        var origin = origins.Of(path, stat, out var ambiguous);
        if (ambiguous)
        {
            scripts.Refuse("makes", path, "a copy of one of several files, which differ for this platform");
            copies[path] = (null, null);
        }
        else if (origin != null)
            copies[path] = (File.ReadAllBytes(origin.File), origin.SameTime ? Posix.Look(origin.File) : null);
    }

    /// <summary>Gives a file of the image the content and the rights of a file of the twin.</summary>
    internal void Put(string path, Stat stat, string to)
    {
        var there = Posix.Look(to);
        Stat? time = null;
        if (copies.TryGetValue(path, out var copy))
        {
            time = copy.Time;
            if (copy.Bytes != null)
                Write(to, copy.Bytes);
        }
        else if (!Kept(path))
        {
            if (Translated(path, to) is { } bytes)
                Write(to, bytes);
        }
        else if (there != null)
        {
            if (unpacked[path].Seconds == stat.Seconds)
                time = there;
            if (there.Value.Names.Count > 1 && stat.Names.Count == 1)
                Write(to, File.ReadAllBytes(to)); // the other names keep their rights
        }
        if (Posix.Look(to) == null)
            return;
        Tree.CopyRights(Now(path), to);
        if (time is { } own)
            Tree.CopyTime(own, to);
    }

    static void Write(string to, byte[] bytes)
    {
        File.Delete(to);
        File.WriteAllBytes(to, bytes);
    }

    // What the image gets in place of a file of the twin; null if nothing.
    byte[]? Translated(string path, string to)
    {
        var bytes = File.ReadAllBytes(Now(path));
        var changed = unpacked.TryGetValue(path, out var was) && was.IsFile;
        if (bytes.AsSpan().StartsWith("\u007fELF"u8))
            return Refuse(path, "which is a program for the build platform");
        if (Bytecode.Source(path) is { } source)
            return translation.Names(bytes)
                ? null
                : Bytecode.For(bytes, Tree.FileAt(request.Installed, source),
                    Tree.FileAt(request.Target, translation.Path(source)));
        if (bytes.Contains((byte)0))
            return translation.Names(bytes) ? Refuse(path, "which names the architecture of the build platform") :
                !translation.SameByteOrder ? Refuse(path, "which is binary, for processors with another byte order") :
                changed && !(Posix.Look(to) is { IsFile: true } && Tree.SameContent(Was(path), to))
                    ? Refuse(path, Other(to))
                    : bytes;
        var text = Text(path, Encoding.Latin1.GetString(bytes), changed ? Texts.Of(Was(path)) : null, to);
        return text == null ? null : Encoding.Latin1.GetBytes(text);
    }

    // The same for a text; was is null if there was none.
    string? Text(string path, string text, string? was, string to)
    {
        var here = Texts.Of(to);
        if (translation.Text(text) is not { } now || was != null && translation.Text(was) == null && here != was)
        {
            Refuse(path, "which names the architecture of the build platform");
            return null;
        }
        if (was == null || here == was || here == now || IsBackup(path))
            return now;
        if (Posix.Look(to) is { IsFile: true } && (path.StartsWith("var/cache/debconf/", StringComparison.Ordinal)
                ? Texts.ChangedStanzas(here, translation.Text(was)!, now, "Name:")
                : Texts.Changed(here, translation.Text(was)!, now)) is { } result)
            return result;
        Refuse(path, Other(to));
        return null;
    }

    // What a file was before a script changed it last.
    static bool IsBackup(string path) =>
        path.StartsWith("etc/", StringComparison.Ordinal) && path.EndsWith('-') ||
        path.StartsWith("var/lib/dpkg/", StringComparison.Ordinal) && path.EndsWith("-old", StringComparison.Ordinal);

    static string Other(string to) =>
        Posix.Look(to) == null ? "which is not there for this platform" : "which is another file for this platform";

    byte[]? Refuse(string path, string why)
    {
        scripts.Refuse(unpacked.ContainsKey(path) ? "changes" : "makes", path, why);
        return null;
    }
}
