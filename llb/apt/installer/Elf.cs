#nullable enable

using System;
using System.Buffers.Binary;
using System.Linq;
using System.Text;

namespace Crosshull.Packages;

/// <summary>A file in the format of programs and libraries, of a processor that is little-endian: elf(5).</summary>
/// <param name="wide">Whether its addresses have 64 bits.</param>
sealed class Elf(byte[] file, bool wide)
{
    const int SharedLibrary = 3, Load = 1, Dynamic = 2, Strings = 5, Name = 14;

    readonly int word = wide ? 8 : 4;

    // A part of the file: type, offset, address in memory, size.
    sealed record Segment(long Type, long Offset, long Address, long Size);

    /// <summary>The name that a shared library for a processor gives itself, empty if it has none; null for any other
    /// file, and one that is cut.</summary>
    internal string? Soname(ushort machine)
    {
        try
        {
            byte[] magic = [0x7f, 0x45, 0x4c, 0x46, (byte)(wide ? 2 : 1), 1];
            return file.Length < 64 || !file.AsSpan(0, 6).SequenceEqual(magic) ||
                Read(18, 2) != machine || Read(16, 2) != SharedLibrary ? null : Soname();
        }
        catch (ArgumentOutOfRangeException)
        {
            return null; // what a number of the file points to is not in it
        }
    }

    string? Soname()
    {
        var start = Read(wide ? 32 : 28, word);
        var segments = Enumerable.Range(0, (int)Read(wide ? 56 : 44, 2)).Select(i => start + i * (wide ? 56 : 32))
            .Select(at => new Segment(
                Read(at, 4), Read(at + word, word), Read(at + 2 * word, word), Read(at + 4 * word, word)))
            .ToArray();
        if (segments.FirstOrDefault(s => s.Type == Dynamic) is not { Size: > 0 } dynamic)
            return null; // a file for debuggers has a segment without content
        long? name = null, strings = null;
        for (var at = dynamic.Offset; at < dynamic.Offset + dynamic.Size && Read(at, word) is not 0 and var tag;
            at += 2 * word)
        {
            if (tag == Name)
                name = Read(at + word, word);
            if (tag == Strings)
                strings = Read(at + word, word);
        }
        if (name == null)
            return "";
        if (segments.FirstOrDefault(s => s.Type == Load && s.Address <= strings && strings < s.Address + s.Size) is not
            { } load)
            return null;
        var text = From(strings!.Value - load.Address + load.Offset + name.Value);
        return Encoding.UTF8.GetString(text[..text.IndexOf((byte)0)]);
    }

    // A number of so many bytes.
    long Read(long at, int bytes) => bytes switch
    {
        2 => BinaryPrimitives.ReadUInt16LittleEndian(From(at)),
        4 => BinaryPrimitives.ReadUInt32LittleEndian(From(at)),
        _ => BinaryPrimitives.ReadInt64LittleEndian(From(at)),
    };

    ReadOnlySpan<byte> From(long at) => file.AsSpan(at >= 0 && at <= file.Length ? (int)at : -1);
}
