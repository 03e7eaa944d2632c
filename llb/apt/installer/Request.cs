#nullable enable

using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json;

namespace Crosshull.Packages;

/// <summary>A source of packages beside those of the image, see sources.list(5).</summary>
/// <param name="Name">The name of its file in sources.list.d, without the extension.</param>
/// <param name="Text">The lines of the file.</param>
/// <param name="Key">A file with the keys that sign the source; empty if the lines say it, or the image has it.</param>
sealed record Source(string Name, string Text, string Key);

/// <summary>What to install, and the folders of a step. A step has those that its command needs.</summary>
sealed class Request
{
    /// <summary>What apt-get install takes: packages, with a version or a suite if one was asked for.</summary>
    internal required IReadOnlyList<string> Install { get; init; }
    internal required bool Recommends { get; init; }
    /// <summary>
    /// Whether the image is only the twin of others. Then it does without packages that its architecture does not have.
    /// </summary>
    internal required bool Twin { get; init; }
    /// <summary>The time of the archive, as apt writes it; empty means now.</summary>
    internal required string Snapshot { get; init; }
    internal required IReadOnlyList<Source> Sources { get; init; }
    /// <summary>Packages whose scripts may be skipped on another platform.</summary>
    internal required IReadOnlySet<string> SkipScripts { get; init; }
    /// <summary>The time of every file that the installation makes or changes, in seconds.</summary>
    internal required long Time { get; init; }

    /// <summary>The image to install on.</summary>
    internal required string Target { get; init; }
    /// <summary>What resolve leaves for the other commands: lists, archives, and what they are.</summary>
    internal required string State { get; init; }
    /// <summary>The image for the build platform with the packages unpacked, but no script run.</summary>
    internal required string Unpacked { get; init; }
    /// <summary>The image for the build platform with the packages installed.</summary>
    internal required string Installed { get; init; }
    /// <summary>The image for the build platform as it was.</summary>
    internal required string Pristine { get; init; }
    /// <summary>The file for mistakes of the user's.</summary>
    internal required string Errors { get; init; }

    internal static Request Read(string file)
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        var root = json.RootElement;
        string Text(string name) => root.GetProperty(name).GetString()!;
        string[] Texts(string name) => root.GetProperty(name).EnumerateArray().Select(e => e.GetString()!).ToArray();
        return new Request
        {
            Install = Texts("install"),
            Recommends = root.GetProperty("recommends").GetBoolean(),
            Twin = root.GetProperty("twin").GetBoolean(),
            Snapshot = Text("snapshot"),
            Sources = root.GetProperty("sources").EnumerateArray().Select(e => new Source(
                e.GetProperty("name").GetString()!, e.GetProperty("text").GetString()!,
                e.GetProperty("key").GetString()!)).ToArray(),
            SkipScripts = Texts("skipScripts").ToHashSet(),
            Time = root.GetProperty("time").GetInt64(),
            Target = Text("target"),
            State = Text("state"),
            Unpacked = Text("unpacked"),
            Installed = Text("installed"),
            Pristine = Text("pristine"),
            Errors = Text("errors"),
        };
    }
}
