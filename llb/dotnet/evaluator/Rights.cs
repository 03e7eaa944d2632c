using System;
using System.IO;
using System.Runtime.InteropServices;

namespace Crosshull;

/// <summary>
/// Gives up all rights over files, so that the kernel refuses to read a stand-in (see <see cref="Tree"/>), and a
/// property function of a hostile project finds nothing to write to.
/// </summary>
static class Rights
{
    const uint Nobody = 65532; // as of distroless images and .NET's chiseled ones; it needs no entry in /etc/passwd

    /// <summary>Anybody can write to the folder from then on.</summary>
    public static void Drop(string folder)
    {
        if (geteuid() != 0) return; // a test on a developer's machine
        const UnixFileMode all = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        File.SetUnixFileMode(folder, all | (UnixFileMode)((int)all >> 3) | (UnixFileMode)((int)all >> 6));
        if (setgroups(0, IntPtr.Zero) != 0 || setgid(Nobody) != 0 || setuid(Nobody) != 0)
            throw new InvalidOperationException("cannot give up root: errno " + Marshal.GetLastPInvokeError());
    }

    [DllImport("libc")] static extern uint geteuid();
    [DllImport("libc", SetLastError = true)] static extern int setgroups(nuint size, IntPtr groups);
    [DllImport("libc", SetLastError = true)] static extern int setgid(uint gid);
    [DllImport("libc", SetLastError = true)] static extern int setuid(uint uid);
}
