#nullable enable

using System;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;

namespace Crosshull.Packages;

/// <summary>How texts and paths name an architecture.</summary>
/// <param name="Name">dpkg's name.</param>
/// <param name="Tuple">GNU's name, which paths of libraries have: DEB_HOST_MULTIARCH of dpkg-architecture.</param>
/// <param name="Others">Parts of its further names: those of processors, of uname, of the loader.</param>
sealed record Architecture(string Name, string Tuple, params string[] Others)
{
    // The first three are those that images of .NET exist for. "arm" alone is no name: it is also a word.
    static readonly Architecture[] all =
    [
        new("amd64", "x86_64-linux-gnu", "x86_64", "x86-64"),
        new("arm64", "aarch64-linux-gnu", "aarch64"),
        new("armhf", "arm-linux-gnueabihf", "gnueabihf", "armv7", "armv8l"),
        new("armel", "arm-linux-gnueabi", "gnueabi", "armv5te"),
        new("i386", "i386-linux-gnu", "i486", "i586", "i686"),
        new("loong64", "loongarch64-linux-gnu", "loongarch64"),
        new("ppc64el", "powerpc64le-linux-gnu", "powerpc64le", "ppc64le"),
        new("riscv64", "riscv64-linux-gnu"),
        new("s390x", "s390x-linux-gnu"),
    ];

    internal static Architecture Of(string name) => all.FirstOrDefault(a => a.Name == name) ??
        throw new Mistake($"base.packages does not know the architecture {name}");

    /// <summary>Whether its addresses have 64 bits.</summary>
    internal bool IsWide => Name is not ("armhf" or "armel" or "i386");

    /// <summary>Whether the first byte of a number in memory is its highest one.</summary>
    internal bool IsBigEndian => Name is "s390x";

    /// <summary>Replaces GNU's name by that of another architecture.</summary>
    internal string ReplaceTuple(string text, Architecture other) =>
        text.Contains(Tuple) ? Whole(Tuple).Replace(text, other.Tuple) : text;

    /// <summary>Whether a text has one of the names.</summary>
    internal bool IsNamedIn(ReadOnlySpan<byte> text)
    {
        foreach (var name in Others)
            if (text.IndexOf(Encoding.ASCII.GetBytes(name)) >= 0)
                return true;
        var word = Encoding.ASCII.GetBytes(Name);
        for (int next; (next = text.IndexOf(word)) >= 0; text = text[(next + word.Length)..])
            if (!(next > 0 && char.IsAsciiLetterOrDigit((char)text[next - 1])) &&
                !(text.Length > next + word.Length && char.IsAsciiLetterOrDigit((char)text[next + word.Length])))
                return true;
        return false;
    }

    // Not a part of another name: x86_64-linux-gnu is none in x86_64-linux-gnux32, nor GNU's of armel in that of armhf.
    static Regex Whole(string name) => new($"(?<![A-Za-z0-9]){Regex.Escape(name)}(?![A-Za-z0-9])");
}
