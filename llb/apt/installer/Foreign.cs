#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;

namespace Crosshull.Packages;

/// <summary>
/// Installs packages on an image that cannot run here. dpkg of the build platform unpacks them, so the database is what
/// a real installation writes. Their scripts are not in the archives that dpkg sees.
/// </summary>
sealed class Foreign(Request request)
{
    const string Overrides = "statoverride";

    readonly string native = Database.Architecture(request.Installed);
    readonly string architecture = Database.Architecture(request.Target);

    Translation Translation => new(native, architecture, request.Target);

    /// <summary>Unpacks the archives, and runs no script.</summary>
    internal void Unpack()
    {
        Archive[] archives = Archives();
        Unpack(archives, new Scripts(archives, request.SkipScripts));
        Tidy.FixTimes(request.Target, request.Time);
    }

    /// <summary>Unpacks the archives, and does what their scripts did to the twin.</summary>
    internal void Apply()
    {
        Archive[] archives = Archives();
        var scripts = new Scripts(archives, request.SkipScripts);
        var before = Database.Versions(request.Target);
        CheckTwin(archives, before);
        var leftOut = Tidy.Keep(request.Target);
        Unpack(archives, scripts);
        var added = archives.Where(a => !before.ContainsKey(a.Package)).ToArray();
        new Effects(request, Translation, scripts).Apply();
        new AptStates(request, Translation, added).Write();
        if (File.Exists(Path.Combine(request.Installed, "etc/ld.so.cache")))
            new LoaderCache(request.Target, architecture).Write();
        Tidy.Restore(request.Target, leftOut);
        Tidy.FixTimes(request.Target, request.Time);
    }

    // Unpacks as dpkg would after the scripts that run before it.
    void Unpack(IReadOnlyList<Archive> archives, Scripts scripts)
    {
        var diversions = new Diversions(request, Translation, native);
        diversions.Begin();
        new Early(request, Translation, native, archives, scripts).Apply();
        Unpack(archives);
        diversions.End();
    }

    Archive[] Archives() =>
        Directory.GetFiles(Path.Combine(request.State, "archives"), "*.deb").Order(StringComparer.Ordinal)
            .Select(file => new Archive(file)).ToArray();

    // The scripts of a package did to the twin what they would do here only if the twin got the same package in place
    // of the same: dpkg tells them which version they replace.
    void CheckTwin(IReadOnlyList<Archive> archives, IReadOnlyDictionary<string, string> ours)
    {
        var before = Database.Versions(request.Pristine);
        var twin = Database.Versions(request.Installed);
        var mistakes = new List<string>();
        foreach (var archive in archives.Where(a => a.Scripts.Count > 0 && !request.SkipScripts.Contains(a.Package)))
        {
            string? has = twin.GetValueOrDefault(archive.Package), had = before.GetValueOrDefault(archive.Package);
            var ran = has != had;
            string? why = null;
            if (has == null)
                why = "the image for the build platform does not get this package";
            else if (Upload(has) != Upload(archive.Version))
                why = $"the image for the build platform gets {has} (if BuildKit's cache has the packages of another " +
                    "day, --no-cache-filter packages gets all of them anew)";
            else if (!ran)
                why = "the image for the build platform has it already";
            else if (Named(had) is var old && Named(ours.GetValueOrDefault(archive.Package)) is var our && old != our)
                why = $"the base has {old} of it for the build platform, and {our} for this one";
            if (why != null)
                mistakes.Add($"{archive.Package} {archive.Version} for {archive.Architecture} has scripts that " +
                    $"cannot run here, and {why}, so what they do is not known. skip-scripts: [{archive.Package}] " +
                    (ran ? "takes over what they changed there" : "installs it without them"));
        }
        // What the scripts of other packages did to the twin would be done here as well.
        var here = archives.Select(a => a.Package).ToHashSet();
        foreach (var (package, version) in twin)
            if (before.GetValueOrDefault(package) != version && !here.Contains(package) &&
                !request.SkipScripts.Contains(package) && Database.HasScripts(request.Installed, package, native))
                mistakes.Add($"{package} {version} is installed only for the build platform" +
                    (ours.TryGetValue(package, out var has) ? $" (the base for this one has {has})" : "") +
                    ". Its scripts may have made some of the changes there. " +
                    $"skip-scripts: [{package}] takes over all changes, also those of {package}");
        if (mistakes.Count > 0)
            throw new Mistake(mistakes);
    }

    static string Named(string? version) => version == null ? "no version" : $"version {Upload(version)}";

    // A rebuild for one architecture alone adds +b1 to the version, and changes no script.
    static string Upload(string version)
    {
        var rebuild = version.LastIndexOf("+b", StringComparison.Ordinal);
        return rebuild > 0 && version[(rebuild + 2)..].All(char.IsAsciiDigit) ? version[..rebuild] : version;
    }

    // dpkg follows an absolute link to a folder of the root that it runs in, not of the image.
    void CheckLinks(string db, IReadOnlyList<Archive> archives)
    {
        var links = new Dictionary<string, string?>();
        foreach (var archive in archives)
            foreach (var path in File.ReadLines(Path.Combine(db, "info", archive.Prefix + ".list")))
                for (var dir = Path.GetDirectoryName(path); dir is not (null or "/"); dir = Path.GetDirectoryName(dir))
                {
                    if (!links.TryGetValue(dir, out var to))
                        links[dir] = to = new FileInfo(request.Target + dir).LinkTarget;
                    if (to != null && to.StartsWith('/'))
                        throw new Mistake($"{archive.Package} has {path}, and {dir} of the base leads to {to}: a " +
                            "package for another platform cannot be unpacked through a link to an absolute path");
                }
    }

    void Unpack(IReadOnlyList<Archive> archives)
    {
        if (archives.Count == 0)
            return;
        var work = Directory.CreateTempSubdirectory().FullName;
        string real = Path.Combine(request.Target, Database.Folder), db = Path.Combine(work, "db");
        Tool.Output("cp", "-a", real, db);
        var kept = TakeScripts(db);
        AddArchitectures(Path.Combine(db, "arch"));
        var stripped = archives.Select(archive =>
        {
            var to = Path.Combine(work, archive.Name);
            archive.WriteWithoutScripts(to);
            return to;
        }).ToArray();
        NumberOwners(db);
        string[] common =
        [
            "--instdir=" + request.Target, "--admindir=" + db, "--log=/dev/null", "--force-depends", "--force-confold",
            "--force-confdef", "--force-unsafe-io",
        ];
        // apt has chosen packages that go together. But one may break or exclude an older version of another that comes
        // later here, in an order that apt would not take.
        string[] together = ["--auto-deconfigure", "--force-conflicts"];
        Dpkg([.. common, .. together, "--no-triggers", "--unpack", .. stripped]);
        Dpkg([.. common, "--configure", "--pending"]);
        CheckLinks(db, archives);
        foreach (var name in new[] { Overrides, "arch" })
            if (File.Exists(Path.Combine(real, name)))
                Tool.Output("cp", "-a", "--remove-destination", Path.Combine(real, name), db);
            else
                File.Delete(Path.Combine(db, name));
        PutScripts(db, kept, archives);
        WriteBack(db, real);
        Directory.Delete(work, recursive: true);
    }

    // dpkg unpacks only for architectures that it knows. The image keeps its own list of them.
    void AddArchitectures(string file)
    {
        var known = File.Exists(file) ? File.ReadAllLines(file) : [];
        File.WriteAllLines(file, known.Append(native).Append(architecture).Distinct());
    }

    // dpkg looks for the owners among those of the root that it runs in, where the scripts have added none.
    void NumberOwners(string db)
    {
        var file = Path.Combine(db, Overrides);
        if (!File.Exists(file))
            return;
        Dictionary<string, string> users = Numbers("etc/passwd"), groups = Numbers("etc/group");
        var lines = File.ReadAllLines(file, Encoding.Latin1).Select(line => line.Split(' ', 3))
            .Where(words => words.Length == 3)
            .Select(words => $"{Number(users, words[0])} {Number(groups, words[1])} {words[2]}\n");
        File.WriteAllText(file, string.Concat(lines), Encoding.Latin1);
    }

    static string Number(Dictionary<string, string> all, string name) =>
        all.TryGetValue(name, out var number) ? "#" + number : name;

    // The numbers of users or groups of the image, by name.
    Dictionary<string, string> Numbers(string file)
    {
        var all = new Dictionary<string, string>();
        foreach (var fields in Texts.Of(Path.Combine(request.Target, file)).Split('\n').Select(line => line.Split(':')))
            if (fields.Length > 2)
                all.TryAdd(fields[0], fields[2]);
        return all;
    }

    static void Dpkg(IReadOnlyList<string> args)
    {
        var result = Tool.Run("dpkg", args);
        if (result.Code != 0)
            throw new Mistake(result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)) { Shown = true };
    }

    // The scripts of the packages that the image has: dpkg would run those of a package that it replaces.
    static List<string> TakeScripts(string db)
    {
        var taken = new List<string>();
        foreach (var file in Directory.GetFiles(Path.Combine(db, "info")).Where(IsScript))
        {
            taken.Add(Path.GetFileName(file));
            File.Delete(file);
        }
        return taken;
    }

    static bool IsScript(string file) => Archive.IsScript(Path.GetExtension(file).TrimStart('.'));

    void PutScripts(string db, List<string> kept, IReadOnlyList<Archive> archives)
    {
        var info = Path.Combine(db, "info");
        var replaced = archives.Select(a => a.Prefix).ToHashSet();
        foreach (var name in kept)
        {
            var prefix = Path.GetFileNameWithoutExtension(name);
            if (!replaced.Contains(prefix) && File.Exists(Path.Combine(info, prefix + ".list")))
                Tool.Output("cp", "-a", Path.Combine(request.Target, Database.Folder, "info", name), info);
        }
        foreach (var archive in archives)
            foreach (var script in archive.Scripts)
            {
                var file = Path.Combine(info, $"{archive.Prefix}.{script.Name}");
                File.WriteAllBytes(file, script.Text);
                File.SetUnixFileMode(file, script.Mode);
                File.SetLastWriteTimeUtc(file, script.Time.UtcDateTime);
            }
    }

    // Only what changed: a file that is written again would be in the layer.
    static void WriteBack(string db, string real)
    {
        foreach (var file in Directory.GetFiles(db, "*", SearchOption.AllDirectories))
        {
            var to = Path.Combine(real, Path.GetRelativePath(db, file));
            if (!File.Exists(to) || !Tree.SameContent(file, to) || Posix.Look(file)?.Mode != Posix.Look(to)?.Mode)
                Tool.Output("cp", "-a", "--remove-destination", file, to);
        }
        foreach (var file in Directory.GetFiles(real, "*", SearchOption.AllDirectories))
            if (!File.Exists(Path.Combine(db, Path.GetRelativePath(real, file))))
                File.Delete(file);
    }
}
