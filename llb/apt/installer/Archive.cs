#nullable enable

using System;
using System.Collections.Generic;
using System.Formats.Tar;
using System.IO;
using System.Linq;
using System.Text;

namespace Crosshull.Packages;

/// <summary>A script of a package's maintainer, as the archive has it.</summary>
sealed record Script(string Name, byte[] Text, UnixFileMode Mode, DateTimeOffset Time);

/// <summary>An archive of a package, see deb(5).</summary>
sealed class Archive
{
    // The scripts that dpkg runs, and the one that debconf runs.
    static readonly string[] names = ["preinst", "postinst", "prerm", "postrm", "config"];

    readonly string file;
    readonly byte[] control; // the member control.tar, without the scripts

    internal static bool IsScript(string name) => names.Contains(name);

    internal string Package { get; }
    internal string Version { get; }
    internal string Architecture { get; }
    /// <summary>The source package, with its version in parentheses if that differs; empty if both are those of the
    /// package.</summary>
    internal string Source { get; }
    internal IReadOnlyList<Script> Scripts { get; }

    /// <summary>What the names of the package's files in the database begin with.</summary>
    internal string Prefix { get; }

    internal Archive(string file)
    {
        this.file = file;
        var scripts = new List<Script>();
        var fields = new Dictionary<string, string>();
        using var output = new MemoryStream();
        using (var input = new TarReader(Tool.Bytes("dpkg-deb", "--ctrl-tarfile", file)))
        using (var writer = new TarWriter(output, TarEntryFormat.Gnu, leaveOpen: true))
            while (input.GetNextEntry(copyData: true) is { } entry)
            {
                var name = entry.Name.Split('/')[^1];
                if (name == "control")
                    fields = Fields(Text(entry));
                if (IsScript(name))
                    scripts.Add(new Script(name, Bytes(entry), entry.Mode, entry.ModificationTime));
                else
                    writer.WriteEntry(entry);
            }
        control = output.ToArray();
        Scripts = scripts;
        Package = fields["Package"];
        Version = fields["Version"];
        Architecture = fields["Architecture"];
        Source = fields.GetValueOrDefault("Source", "");
        Prefix = fields.GetValueOrDefault("Multi-Arch") == "same" ? $"{Package}:{Architecture}" : Package;
    }

    internal string Name => Path.GetFileName(file);

    static byte[] Bytes(TarEntry entry)
    {
        using var bytes = new MemoryStream();
        entry.DataStream?.CopyTo(bytes);
        if (entry.DataStream is { } data)
            data.Position = 0;
        return bytes.ToArray();
    }

    static string Text(TarEntry entry) => Encoding.UTF8.GetString(Bytes(entry));

    static Dictionary<string, string> Fields(string control)
    {
        var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var line in control.Split('\n'))
            if (line.IndexOf(':') is > 0 and var colon && !char.IsWhiteSpace(line[0]))
                fields[line[..colon]] = line[(colon + 1)..].Trim();
        return fields;
    }

    /// <summary>Writes the archive without its scripts. The files of the package stay as they are.</summary>
    internal void WriteWithoutScripts(string to)
    {
        using var input = File.OpenRead(file);
        using var output = File.Create(to);
        var magic = new byte[8];
        input.ReadExactly(magic);
        output.Write(magic);
        var header = new byte[60];
        while (input.ReadAtLeast(header, 60, throwOnEndOfStream: false) == 60)
        {
            var size = long.Parse(Encoding.ASCII.GetString(header, 48, 10));
            var next = input.Position + size + (size & 1);
            if (Encoding.ASCII.GetString(header, 0, 11) == "control.tar")
                Write(output, Encoding.ASCII.GetBytes(
                    $"{"control.tar",-16}{0,-12}{0,-6}{0,-6}{"100644",-8}{control.Length,-10}`\n"), control);
            else
            {
                var data = new byte[size];
                input.ReadExactly(data);
                Write(output, header, data);
            }
            input.Position = Math.Min(next, input.Length);
        }
    }

    static void Write(Stream output, byte[] header, byte[] data)
    {
        output.Write(header);
        output.Write(data);
        if (data.Length % 2 == 1)
            output.WriteByte((byte)'\n');
    }
}
