#nullable enable

using System;
using System.Buffers.Binary;
using System.Text.RegularExpressions;

namespace Crosshull.Packages;

/// <summary>
/// Python's compiled modules. Python uses one if the time and the size that it has are those of the source, and does
/// not look at the source itself.
/// </summary>
static class Bytecode
{
    static readonly Regex compiled = new(@"^(.*)__pycache__/([^/]+)\.[a-z]+-\d+(\.opt-\d)?\.pyc$");

    /// <summary>The path of the source of a compiled module; null for another file.</summary>
    internal static string? Source(string path) =>
        compiled.Match(path) is { Success: true } m ? $"{m.Groups[1].Value}{m.Groups[2].Value}.py" : null;

    /// <summary>
    /// A compiled module for the source of an image; null if that is another source than the one that was compiled.
    /// Then Python compiles it again.
    /// </summary>
    internal static byte[]? For(byte[] module, string? source, string? other)
    {
        if (source == null || other == null || !Tree.SameContent(source, other))
            return null;
        const int time = 8;
        // See PEP 552: the flags are zero if the time of the source follows, and not a hash.
        if (module.Length >= 16 && BinaryPrimitives.ReadInt32LittleEndian(module.AsSpan(4)) == 0)
            BinaryPrimitives.WriteUInt32LittleEndian(module.AsSpan(time), (uint)Posix.Look(other)!.Value.Seconds);
        return module;
    }
}
