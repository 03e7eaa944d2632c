#nullable enable

using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.RegularExpressions;

namespace Crosshull.Packages;

/// <summary>
/// apt of the build platform, which works on the image below a root, and keeps its lists and archives in a folder of
/// ours. So nothing of them is left in the image.
/// </summary>
sealed class Apt
{
    readonly string root, state;
    readonly bool recommends;
    readonly Dictionary<string, string> variables;
    readonly HashSet<string> more; // names of sources that the image does not have

    internal Apt(string root, Request request)
    {
        this.root = root;
        state = request.State;
        recommends = request.Recommends;
        more = request.Sources.Select(s => s.Name).ToHashSet();
        Directory.CreateDirectory(Path.Combine(state, "lists/partial"));
        Directory.CreateDirectory(Path.Combine(Archives, "partial"));
        var config = Path.Combine(state, "apt.conf");
        File.WriteAllText(config, Configuration(Database.Architecture(root), request));
        variables = new()
        {
            // Before any other configuration: -o Dir= comes after apt.conf.d of the build platform's image is read.
            ["APT_CONFIG"] = config,
        };
    }

    internal string Archives => Path.Combine(state, "archives");

    string Sources => Path.Combine(state, "sources");

    string Cache => Path.Combine(state, "pkgcache.bin");

    string Configuration(string architecture, Request request)
    {
        var dir = root == "/" ? "/" : root + "/";
        var lines = new List<string>
        {
            $"APT::Architecture \"{architecture}\";",
            $"APT::Architectures {{ \"{architecture}\"; }};",
            $"Dir \"{dir}\";",
            $"Dir::State::status \"{dir}var/lib/dpkg/status\";",
            $"Dir::State::lists \"{state}/lists\";",
            $"Dir::Cache \"{state}\";",
            $"Dir::Cache::archives \"{Archives}\";",
            $"Dir::Etc::sourcelist \"/dev/null\";",
            $"Dir::Etc::sourceparts \"{Sources}\";",
            "Dir::Log \"/dev/null\";",
            "Dir::Log::Terminal \"\";",
            "Dir::Log::History \"\";",
            "Dir::Bin::methods \"/usr/lib/apt/methods\";",
            "APT::Sandbox::User \"root\";",
            "APT::Get::Assume-Yes \"true\";",
            "APT::Get::Remove \"false\";",
            "APT::Update::Error-Mode \"any\";",
            "APT::Color \"false\";",
            "Acquire::Languages \"none\";",
            "Acquire::Retries \"3\";",
            "Acquire::ForceHash \"SHA256\";", // else --print-uris gives MD5
            "Dpkg::Use-Pty \"false\";",
            "DPkg::Options { \"--force-confold\"; \"--force-confdef\"; \"--log=/dev/null\"; };",
        };
        if (request.Snapshot != "")
        {
            lines.Add($"APT::Snapshot \"{request.Snapshot}\";");
            lines.Add("Acquire::Check-Valid-Until \"false\";");
        }
        return string.Join('\n', lines) + "\n";
    }

    /// <summary>
    /// Collects the sources of the image and those of the request. A source of the request takes the place of a file of
    /// the image with its name.
    /// </summary>
    internal void Collect(IReadOnlyList<Source> more)
    {
        Directory.CreateDirectory(Sources);
        var files = new List<string> { Path.Combine(root, "etc/apt/sources.list") };
        var parts = Path.Combine(root, "etc/apt/sources.list.d");
        if (Directory.Exists(parts))
            files.AddRange(Directory.GetFiles(parts).Where(f => f.EndsWith(".list") || f.EndsWith(".sources")));
        foreach (var file in files.Where(File.Exists))
            if (more.All(s => s.Name != Path.GetFileNameWithoutExtension(file)))
                File.WriteAllText(
                    Path.Combine(Sources, Path.GetFileName(file)), WithKeysOfRoot(File.ReadAllText(file)));
        foreach (var source in more)
            File.WriteAllText(Path.Combine(Sources, source.Name + Extension(source.Text)), WithKey(source));
        if (Directory.GetFiles(Sources).Length == 0)
            throw new Mistake("the base has no source of packages: name one in base.packages.sources");
    }

    static string Extension(string text) => deb822.IsMatch(text) ? ".sources" : ".list";

    // apt reads the files of Signed-By from its own root, not from Dir.
    string WithKeysOfRoot(string text) => root == "/"
        ? text
        : signedBy.Replace(text, m => m.Groups[1].Value + keyFile.Replace(m.Groups[2].Value, $"$1{root}$2"));

    string WithKey(Source source)
    {
        var text = source.Text.TrimEnd() + "\n";
        if (source.Key == "")
            return text;
        var key = Path.Combine(state, source.Name + (Armored(source.Key) ? ".asc" : ".gpg"));
        File.Copy(source.Key, key, overwrite: true);
        return Extension(text) == ".sources"
            ? string.Concat(stanzas.Split(text.Trim())
                .Select(s => deb822.IsMatch(s) ? $"{s}\nSigned-By: {key}\n\n" : $"{s}\n\n")) // a comment stays one
            : oneLine.Replace(text, m => $"{m.Groups[1].Value} [{m.Groups[2].Value} signed-by={key}] ");
    }

    static bool Armored(string key) => File.ReadAllText(key).Contains("-----BEGIN PGP");

    internal void Update(string snapshot)
    {
        if (snapshot != "" && Database.Compare(Version, "2.7.12") < 0)
            throw new Mistake($"snapshot needs apt 2.7.12 or later, and the base has {Version}: name the archive of " +
                "that day in base.packages.sources, under the name of the base's file");
        Run(["update"]);
    }

    static string Version => Tool.Output("apt-get", "--version").Split(' ')[1];

    /// <summary>Those of some packages that this architecture has.</summary>
    internal IReadOnlyList<string> Known(IReadOnlyList<string> packages)
    {
        var names = packages.Select(Name).ToArray();
        var said = Ask(["policy", "--", .. names]);
        var known = candidate.Matches(said).Select(m => m.Groups[1].Value).ToHashSet();
        return packages.Where(p => known.Contains(Name(p)) || IsProvided(Name(p))).ToArray();
    }

    // A name that only other packages provide has no candidate, but apt-get takes its one provider. So libglib2.0-0 of
    // Ubuntu is libglib2.0-0t64 now.
    bool IsProvided(string name)
    {
        var lines = Lines(Ask(["showpkg", "--", name]));
        return lines.SkipWhile(l => !l.StartsWith("Reverse Provides:")).Skip(1).Any();
    }

    static string Name(string package) => package.Split('=', '/')[0];

    /// <summary>The archives that apt will get, each with the SHA-256 that the signed index has for it.</summary>
    internal IReadOnlyList<(string File, string Hash)> Wanted(IReadOnlyList<string> packages) =>
        Run(["install", "--print-uris", "-q", "--", .. packages]).Output.Split('\n')
            .Select(line => uri.Match(line)).Where(m => m.Success)
            .Select(m => (m.Groups[1].Value, m.Groups[2].Value.ToLowerInvariant())).ToArray();

    internal void Download(IReadOnlyList<string> packages) =>
        Run(["install", "--download-only", "-q", "--", .. packages]);

    internal void Install(IReadOnlyList<string> packages)
    {
        // One stream, so that what a script says stays in its order.
        string[] args = [.. OfSpec, "install", "--no-download", "-q", "--", .. packages];
        var result = Tool.Run("sh", ["-c", "exec apt-get \"$@\" 2>&1", "sh", .. args], variables);
        if (result.Code != 0)
            throw new Mistake(Failure(result)) { Shown = true };
    }

    // What the spec says wins over apt.conf.d of the image, which apt reads after our configuration.
    string[] OfSpec => ["-o", "APT::Install-Recommends=" + (recommends ? "true" : "false")];

    // Debian's images for Docker turn apt's cache off, to be small. Without it, each call reads all lists anew.
    string[] WithCache => ["-o", "Dir::Cache::pkgcache=" + Cache, "-o", "Dir::Cache::srcpkgcache="];

    /// <summary>Removes apt's cache, whose bytes are others each time: no later step shall depend on it.</summary>
    internal void DropCache() => File.Delete(Cache);

    string Ask(IReadOnlyList<string> args) =>
        Tool.Run("apt-cache", [.. WithCache, .. args], variables, show: false).Output;

    Tool.Result Run(IReadOnlyList<string> args)
    {
        var result = Tool.Run(
            "apt-get", [.. OfSpec, .. WithCache, .. args], variables, show: !args.Contains("--print-uris"));
        return result.Code == 0 ? result : throw new Mistake(Said(result)) { Shown = true };
    }

    /// <summary>Why dpkg failed, and what the script that it ran said before that.</summary>
    IReadOnlyList<string> Failure(Tool.Result result)
    {
        var lines = Lines(result.Output).Select(line => line.Replace(Archives + "/", "")).ToList();
        var at = lines.FindIndex(line => line.StartsWith("dpkg: error processing "));
        if (at < 0)
            return Said(new Tool.Result(result.Code, result.Output, result.Output));
        var words = lines.Take(at).Skip(lines.FindLastIndex(at, l => progress.IsMatch(l)) + 1).TakeLast(20).ToArray();
        var why = string.Join(' ', lines.Skip(at).Take(2).Select(line => line.Trim()));
        if (words.Any(w => wantsNetwork.IsMatch(w)))
            why += ". Scripts have no network";
        return [why, .. words];
    }

    static IEnumerable<string> Lines(string text) => text.Split('\n').Select(l => l.TrimEnd()).Where(l => l != "");

    /// <summary>What apt says of a mistake: its errors, and what it says before them of packages.</summary>
    IReadOnlyList<string> Said(Tool.Result result)
    {
        var errors = Lines(result.Errors).Where(l => l.StartsWith("E: ")).Select(l => Named(l[3..])).ToList();
        if (errors.Count == 0)
            return [$"apt-get failed: {result.Errors.Trim()}"];
        errors.AddRange(Lines(result.Errors).Where(l => ofKeys.IsMatch(l)).Select(l => Named(l[3..])));
        // Apt says of a version that it does not know that the package may be missing.
        if (errors.Any(e => noVersion.IsMatch(e)))
            return errors.Select(WithVersions).ToArray();
        var lines = Lines(result.Output).ToList();
        var last = lines.FindLastIndex(
            l => l.StartsWith("Reading ") || l.StartsWith("Building ") || l.StartsWith("Get:"));
        return [.. errors, .. lines.Skip(last + 1)];
    }

    string WithVersions(string error)
    {
        if (noVersion.Match(error) is not { Success: true } match)
            return error;
        var said = Ask(["madison", "--", match.Groups[1].Value]);
        var versions = Lines(said).Select(line => line.Split('|')).Where(fields => fields.Length > 1)
            .Select(fields => fields[1].Trim()).Distinct().ToArray();
        var has = versions.Length == 0 ? "no source has this package" : "there is " + string.Join(", ", versions);
        return $"{error}: {has}";
    }

    // Says where a file of ours comes from.
    string Named(string text)
    {
        text = Regex.Replace(text, Regex.Escape(Sources + "/") + @"((\S+?)(\.list|\.sources))(?![\w.])", m =>
            more.Contains(m.Groups[2].Value) ? "base.packages.sources." + m.Groups[2].Value :
            m.Groups[1].Value == "sources.list" ? "/etc/apt/sources.list" : "/etc/apt/sources.list.d/" + m.Groups[1]);
        return Regex.Replace(text, Regex.Escape(state + "/") + @"(\S+?)\.(asc|gpg)(?![\w.])", "base.packages.keys.$1");
    }

    static readonly Regex progress = new(
        @"^(Setting up|Unpacking|Preparing to unpack|Selecting previously|\(Reading database|Processing triggers) ");

    static readonly Regex wantsNetwork =
        new(@"resolv|unreachable|connect|fetch|download|network", RegexOptions.IgnoreCase);

    static readonly Regex noVersion = new(@"^Version '[^']*' for '([^']*)' was not found");

    static readonly Regex ofKeys = new(@"^W: .*(GPG error|keyring)");

    static readonly Regex candidate =
        new(@"^(\S+):$\n\s+Installed: .*\n\s+Candidate: (?!\(none\))", RegexOptions.Multiline);

    static readonly Regex deb822 = new(@"^\s*Types\s*:", RegexOptions.Multiline | RegexOptions.IgnoreCase);

    static readonly Regex stanzas = new(@"\n\s*\n");

    static readonly Regex signedBy = new(@"(signed-by\s*[:=])([^\]\n]*)", RegexOptions.IgnoreCase);

    static readonly Regex keyFile = new(@"(^|[\s,])(/)");

    static readonly Regex oneLine = new(@"^\s*(deb(?:-src)?)\s+(?:\[([^\]]*)\])?", RegexOptions.Multiline);

    static readonly Regex uri = new(@"^'[^']*' (\S+) \d+ (?:SHA256:([0-9a-fA-F]+))?");
}
