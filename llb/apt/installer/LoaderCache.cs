#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.RegularExpressions;

namespace Crosshull.Packages;

/// <summary>
/// Writes etc/ld.so.cache of an image whose ldconfig cannot run here. The bytes are those that glibc's ldconfig writes
/// (elf/ldconfig.c, elf/cache.c and elf/stringtable.c of glibc 2.36). An image gets no cache where it would need parts
/// that this class does not write; then the loader searches the default folders, and has to find all there.
/// </summary>
sealed class LoaderCache(string root, string architecture)
{
    sealed record Library(string Name, string Path);

    // By architecture: the flags of an entry (sysdeps/generic/ldconfig.h), and machine and class of the ELF header.
    static readonly Dictionary<string, (int Flags, ushort Machine, bool Wide)> known = new()
    {
        ["amd64"] = (0x0303, 62, true), ["arm64"] = (0x0a03, 183, true), ["armhf"] = (0x0903, 40, false),
        ["riscv64"] = (0x1003, 243, true), ["ppc64el"] = (0x0503, 21, true),
    };

    static readonly Regex library = new(@"^(lib.*|ld-.*|ld\.so.*|ld64\.so.*)$");
    static readonly Regex release = new(@"GNU C Library \((.*?)\) stable release version ([0-9.]+?)\.?\n");

    readonly string tuple = Architecture.Of(architecture).Tuple;

    /// <summary>Writes the cache, or removes it if it cannot be written.</summary>
    internal void Write()
    {
        var file = Path.Combine(root, "etc/ld.so.cache");
        var had = Posix.Look(file) != null;
        var bytes = known.ContainsKey(architecture) ? Make() : null;
        if (had && bytes != null && File.ReadAllBytes(file).AsSpan().SequenceEqual(bytes))
            return;
        File.Delete(file);
        if (bytes == null)
            CheckFolders();
        else
            File.WriteAllBytes(file, bytes);
    }

    string[] Default => [$"/lib/{tuple}", $"/usr/lib/{tuple}", "/lib", "/usr/lib"];

    // The loader would not find libraries in the other folders without a cache.
    void CheckFolders()
    {
        var found = Default.Select(folder => Tree.Resolve(root, folder)).ToHashSet();
        foreach (var folder in Folders("/etc/ld.so.conf"))
            if (Tree.Resolve(root, folder) is { } real && !found.Contains(real) && Directory.Exists(root + real) &&
                Directory.EnumerateFileSystemEntries(root + real, "lib*.so*").FirstOrDefault() is { } library)
                throw new Mistake($"base.packages cannot write /etc/ld.so.cache for {architecture}, and without it " +
                    $"the loader does not find {library[root.Length..]}. Install the packages in a base of your own");
    }

    byte[]? Make()
    {
        string[] folders = [.. Folders("/etc/ld.so.conf"), .. Default];
        var seen = new HashSet<string>();
        var entries = new HashSet<Library>();
        foreach (var folder in folders)
        {
            if (Tree.Resolve(root, folder) is not { } real || !Directory.Exists(root + real) || !seen.Add(real))
                continue;
            if (Directory.Exists($"{root}{real}/glibc-hwcaps"))
                return null; // libraries for some processors only: a section of its own
            foreach (var (name, file) in In(folder, real))
                entries.Add(new Library(name, $"{folder}/{file}"));
        }
        return Release() is { } generator ? Bytes(entries.ToList(), generator) : null;
    }

    /// <summary>The folders that a configuration names, in their order.</summary>
    List<string> Folders(string file)
    {
        var folders = new List<string>();
        if (!File.Exists(root + file))
            return folders;
        foreach (var line in File.ReadLines(root + file).Select(l => l.Split('#')[0].Trim()).Where(l => l != ""))
        {
            if (!line.StartsWith("include "))
            {
                folders.Add(line.Length > 1 ? line.TrimEnd('/') : line);
                continue;
            }
            foreach (var pattern in line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1))
            {
                var full = pattern.StartsWith('/') ? pattern : "/etc/" + pattern;
                var dir = root + Path.GetDirectoryName(full);
                if (Directory.Exists(dir))
                    foreach (var part in Directory.GetFiles(dir, Path.GetFileName(full)).Order(StringComparer.Ordinal))
                        folders.AddRange(Folders(part[root.Length..]));
            }
        }
        return folders;
    }

    /// <summary>The libraries in a folder: the name that programs ask for, and the file.</summary>
    Dictionary<string, string> In(string folder, string real)
    {
        var found = new Dictionary<string, string>();
        // ldconfig takes the highest version of several, which comes last.
        var names = Directory.GetFileSystemEntries(root + real).Select(path => Path.GetFileName(path))
            .Order(StringComparer.Ordinal).OrderBy(name => name, Comparer<string>.Create(Compare));
        foreach (var name in names)
        {
            var path = $"{root}{real}/{name}";
            if (!library.IsMatch(name) || !name.Contains(".so") ||
                name.EndsWith("-gdb.py") || name.EndsWith(".dpkg-new") || name.EndsWith(".dpkg-tmp"))
                continue;
            if (Tree.Resolve(root, $"{folder}/{name}") is not { } target || !File.Exists(root + target) ||
                Soname(root + target) is not { } soname)
                continue;
            if (soname == "")
                soname = name;
            // A link such as libx.so keeps its own name, because linkers look for that name.
            if (Posix.Look(path)!.Value.IsLink && (name == soname || name.EndsWith(".so") && soname.StartsWith(name)))
                soname = name;
            found[soname] = Posix.Look($"{root}{real}/{soname}") != null ? soname : name;
        }
        return found;
    }

    string? Soname(string file)
    {
        var (_, machine, wide) = known[architecture];
        return new Elf(File.ReadAllBytes(file), wide).Soname(machine);
    }

    /// <summary>What ldconfig writes about itself.</summary>
    string? Release()
    {
        var libc = Tree.Resolve(root, $"/usr/lib/{tuple}/libc.so.6");
        if (libc == null)
            return null;
        var match = release.Match(Encoding.Latin1.GetString(File.ReadAllBytes(root + libc)));
        return match.Success
            ? $"ldconfig ({match.Groups[1].Value}) stable release version {match.Groups[2].Value}"
            : null;
    }

    byte[] Bytes(List<Library> entries, string generator)
    {
        const int header = 48, entry = 24;
        entries = entries.OrderByDescending(e => e.Name, Comparer<string>.Create(Compare)).ToList(); // stable
        var (strings, offsets) = Strings(entries.SelectMany(e => new[] { e.Name, e.Path }).Distinct());
        var table = header + entry * entries.Count;
        using var output = new MemoryStream();
        using var writer = new BinaryWriter(output);
        writer.Write("glibc-ld.so.cache1.1"u8);
        writer.Write(entries.Count);
        writer.Write(strings.Length);
        writer.Write((byte)2); // little endian
        writer.Write(new byte[3]);
        var extension = (table + strings.Length + 3) / 4 * 4;
        writer.Write(extension);
        writer.Write(new byte[12]);
        foreach (var e in entries)
        {
            writer.Write(known[architecture].Flags);
            writer.Write(table + offsets[e.Name]);
            writer.Write(table + offsets[e.Path]);
            writer.Write(0);
            writer.Write(0L);
        }
        writer.Write(strings);
        writer.Write(new byte[extension - table - strings.Length]);
        writer.Write(0xeaa42174);
        writer.Write(1); // section
        writer.Write(0); // of the generator
        writer.Write(0);
        writer.Write(extension + 8 + 16);
        writer.Write(generator.Length);
        writer.Write(Encoding.ASCII.GetBytes(generator));
        return output.ToArray();
    }

    // Strings in the order of their ends. One that is the end of another has no bytes of its own.
    static (byte[] Bytes, Dictionary<string, int> Offsets) Strings(IEnumerable<string> all)
    {
        using var bytes = new MemoryStream();
        var offsets = new Dictionary<string, int>();
        string? before = null;
        foreach (var text in all.OrderByDescending(s => new string(s.Reverse().ToArray()), StringComparer.Ordinal))
        {
            if (before != null && before.EndsWith(text, StringComparison.Ordinal))
            {
                offsets[text] = offsets[before] + before.Length - text.Length;
                continue;
            }
            offsets[text] = (int)bytes.Length;
            bytes.Write(Encoding.UTF8.GetBytes(text + "\0"));
            before = text;
        }
        return (bytes.ToArray(), offsets);
    }

    /// <summary>The order of the loader, _dl_cache_libcmp: digits count as a number, and come after letters.</summary>
    static int Compare(string a, string b)
    {
        int i = 0, j = 0;
        while (i < a.Length)
        {
            char x = a[i], y = j < b.Length ? b[j] : '\0';
            if (char.IsAsciiDigit(x) && char.IsAsciiDigit(y))
            {
                long left = Number(a, ref i), right = Number(b, ref j);
                if (left != right)
                    return left.CompareTo(right);
                continue;
            }
            if (char.IsAsciiDigit(x))
                return 1;
            if (char.IsAsciiDigit(y))
                return -1;
            if (x != y)
                return x - y;
            i++;
            j++;
        }
        return j < b.Length ? -b[j] : 0;
    }

    static long Number(string text, ref int at)
    {
        long number = 0;
        for (; at < text.Length && char.IsAsciiDigit(text[at]); at++)
            number = number * 10 + (text[at] - '0');
        return number;
    }
}
