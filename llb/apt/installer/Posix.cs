#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Text;

namespace Crosshull.Packages;

/// <summary>What lstat(2) says of a file.</summary>
/// <param name="Inode">Its number, and when its content or its rights changed last. Nobody can set that time.</param>
/// <param name="Names">How many names it has, and its device: all names share that and the number.</param>
readonly record struct Stat(
    ushort Mode, uint Uid, uint Gid, long Size, long Seconds, uint Nanoseconds,
    (ulong Number, long Seconds, uint Nanoseconds) Inode, (uint Count, ulong Device) Names)
{
    internal bool IsFolder => (Mode & 0xF000) == 0x4000;
    internal bool IsLink => (Mode & 0xF000) == 0xA000;
    internal bool IsFile => (Mode & 0xF000) == 0x8000;
}

/// <summary>What .NET lacks of POSIX: owners, attributes, and the times of links.</summary>
static class Posix
{
    const UnmanagedType Utf8 = UnmanagedType.LPUTF8Str;
    const int Here = -100; // AT_FDCWD
    const int NoFollow = 0x100; // AT_SYMLINK_NOFOLLOW
    const int NoEntry = 2, NotFolder = 20, NoData = 61, NotSupported = 95;

    /// <summary>The file at a path, links not followed; null if nothing is there.</summary>
    internal static Stat? Look(string path)
    {
        if (statx(Here, path, NoFollow, 0x7ff, out var st) == 0)
            return new Stat(
                st.Mode, st.Uid, st.Gid, (long)st.Size, st.ModifiedSeconds, st.ModifiedNanoseconds,
                (st.Inode, st.ChangedSeconds, st.ChangedNanoseconds), (st.Links, st.Device));
        var error = Marshal.GetLastPInvokeError();
        return error is NoEntry or NotFolder ? null : throw Failed("look at", path, error);
    }

    internal static void Chown(string path, uint uid, uint gid) => Check(lchown(path, uid, gid), "chown", path);

    internal static void Chmod(string path, ushort mode) => Check(chmod(path, (uint)mode & 0xFFF), "chmod", path);

    internal static void Touch(string path, long seconds, uint nanoseconds)
    {
        var time = new Time { Seconds = (nint)seconds, Nanoseconds = (nint)nanoseconds };
        Check(utimensat(Here, path, [time, time], NoFollow), "touch", path);
    }

    /// <summary>
    /// The extended attributes of a file, by name, without labels that the host's security modules give: nobody but the
    /// host may set those, and they can differ between mounts.
    /// </summary>
    internal static SortedDictionary<string, byte[]> Attributes(string path)
    {
        var all = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        var names = new byte[65536];
        var length = llistxattr(path, names, (nuint)names.Length);
        if (length < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            return error == NotSupported ? all : throw Failed("read the attributes of", path, error);
        }
        var list = Encoding.UTF8.GetString(names, 0, (int)length);
        foreach (var name in list.Split('\0', StringSplitOptions.RemoveEmptyEntries))
        {
            if (name.StartsWith("security.", StringComparison.Ordinal) && name != "security.capability")
                continue;
            var value = new byte[65536];
            var size = lgetxattr(path, name, value, (nuint)value.Length);
            if (size >= 0)
                all[name] = value[..(int)size];
            else if (Marshal.GetLastPInvokeError() is not NoData and not NotSupported)
                throw Failed($"read attribute {name} of", path, Marshal.GetLastPInvokeError());
        }
        return all;
    }

    internal static void RemoveAttribute(string path, string name) =>
        Check(lremovexattr(path, name), $"remove attribute {name} of", path);

    /// <summary>Gives a file one more name.</summary>
    internal static void Link(string path, string more) => Check(link(path, more), $"link {more} to", path);

    internal static void SetAttribute(string path, string name, byte[] value) =>
        Check(lsetxattr(path, name, value, (nuint)value.Length, 0), $"set attribute {name} of", path);

    static void Check(int result, string what, string path)
    {
        if (result != 0)
            throw Failed(what, path, Marshal.GetLastPInvokeError());
    }

    static IOException Failed(string what, string path, int error) =>
        new($"{what} {path}: {Marshal.GetPInvokeErrorMessage(error)}");

    // struct statx is the same on every architecture, unlike struct stat.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    struct Statx
    {
        [FieldOffset(16)] internal uint Links;
        [FieldOffset(20)] internal uint Uid;
        [FieldOffset(24)] internal uint Gid;
        [FieldOffset(28)] internal ushort Mode;
        [FieldOffset(32)] internal ulong Inode;
        [FieldOffset(40)] internal ulong Size;
        [FieldOffset(96)] internal long ChangedSeconds;
        [FieldOffset(104)] internal uint ChangedNanoseconds;
        [FieldOffset(112)] internal long ModifiedSeconds;
        [FieldOffset(120)] internal uint ModifiedNanoseconds;
        [FieldOffset(136)] internal ulong Device; // two numbers of 32 bits
    }

    struct Time
    {
        internal nint Seconds;
        internal nint Nanoseconds;
    }

    [DllImport("libc", SetLastError = true)]
    static extern int statx(int dir, [MarshalAs(Utf8)] string path, int flags, uint mask, out Statx st);

    [DllImport("libc", SetLastError = true)]
    static extern int lchown([MarshalAs(Utf8)] string path, uint uid, uint gid);

    [DllImport("libc", SetLastError = true)]
    static extern int chmod([MarshalAs(Utf8)] string path, uint mode);

    [DllImport("libc", SetLastError = true)]
    static extern int link([MarshalAs(Utf8)] string path, [MarshalAs(Utf8)] string more);

    [DllImport("libc", SetLastError = true)]
    static extern int lremovexattr([MarshalAs(Utf8)] string path, [MarshalAs(Utf8)] string name);

    [DllImport("libc", SetLastError = true)]
    static extern int utimensat(int dir, [MarshalAs(Utf8)] string path, Time[] times, int flags);

    [DllImport("libc", SetLastError = true)]
    static extern nint llistxattr([MarshalAs(Utf8)] string path, byte[] list, nuint size);

    [DllImport("libc", SetLastError = true)]
    static extern nint lgetxattr(
        [MarshalAs(Utf8)] string path, [MarshalAs(Utf8)] string name, byte[] value,
        nuint size);

    [DllImport("libc", SetLastError = true)]
    static extern int lsetxattr(
        [MarshalAs(Utf8)] string path, [MarshalAs(Utf8)] string name, byte[] value,
        nuint size, int flags);
}
