#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;

namespace Crosshull.Packages;

/// <summary>Asks apt what to install, and gets it.</summary>
sealed class Resolver(Request request)
{
    /// <summary>The file with what <see cref="Resolve"/> got: a JSON list, sorted by name.</summary>
    internal const string List = "packages.json";

    internal void Resolve()
    {
        if (!File.Exists(Path.Combine(request.Target, "var/lib/dpkg/status")))
            throw new Mistake("the base has no package database of Debian or Ubuntu: take a base that has apt");
        var apt = new Apt(request.Target, request);
        apt.Collect(request.Sources);
        apt.Update(request.Snapshot);
        var packages = request.Twin ? apt.Known(request.Install) : request.Install;
        var wanted = apt.Wanted(packages);
        apt.Download(packages);
        foreach (var archive in wanted)
            Verify(apt, archive.File, archive.Hash);
        apt.DropCache();
        Write(wanted.Select(w => Read(Path.Combine(apt.Archives, w.File))).ToArray());
    }

    // The hash may be right, and the archive broken.
    static Archive Read(string file)
    {
        try
        {
            return new Archive(file);
        }
        catch (Exception e) when (e is IOException or FormatException or InvalidDataException or KeyNotFoundException)
        {
            var name = Path.GetFileName(file);
            var why = e.Message.Trim().Split('\n')[^1].Replace(Path.GetDirectoryName(file) + "/", "");
            throw new Mistake($"{name.Split('_')[0]}: {name} is no archive of a package: {why}");
        }
    }

    // apt trusts an archive of the right size that lies in its cache already.
    static void Verify(Apt apt, string name, string hash)
    {
        if (hash == "")
            throw new Mistake($"{name}: the index has no SHA-256 of it");
        var file = Path.Combine(apt.Archives, name);
        if (!File.Exists(file))
            throw new Mistake($"{name}: apt did not download it");
        if (Hash(file) is var got && got != hash)
            throw new Mistake($"{name}: its SHA-256 is {got}, and the index says {hash}");
    }

    static string Hash(string file) => Tool.Output("sha256sum", "-b", file).TrimStart('\\').Split(' ')[0];

    void Write(IEnumerable<Archive> archives)
    {
        using var output = File.Create(Path.Combine(request.State, List));
        using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true });
        json.WriteStartArray();
        foreach (var archive in archives.OrderBy(a => a.Package, StringComparer.Ordinal))
        {
            json.WriteStartObject();
            json.WriteString("package", archive.Package);
            json.WriteString("version", archive.Version);
            json.WriteString("architecture", archive.Architecture);
            json.WriteString("source", archive.Source);
            json.WriteString("sha256", Hash(Path.Combine(request.State, "archives", archive.Name)));
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
