#nullable enable

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;

namespace Crosshull.Packages;

/// <summary>
/// Puts packages of Debian or Ubuntu onto an image, and runs nothing of that image: <c>dotnet installer.dll COMMAND
/// REQUEST</c>. REQUEST is JSON, see <see cref="Request"/>. It runs in the image for the build platform, so apt and
/// dpkg are those of the image. The commands are the steps of one installation:
/// <list type="bullet">
/// <item><c>resolve</c> asks apt what to install on a platform's image, and downloads and checks the archives.</item>
/// <item><c>install</c> installs them with their scripts, on the build platform. The result is the twin.</item>
/// <item><c>unpack</c> unpacks them on the build platform without their scripts. How the twin differs from that is what
/// the scripts did.</item>
/// <item><c>apply</c> unpacks the archives of another platform onto its image, and does there what the scripts did to
/// the twin.</item>
/// </list>
/// A mistake of the user's is one line for each in the file that the request names, and exit code 1.
/// </summary>
static class Program
{
    static int Main(string[] args)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
        var request = Request.Read(args[1]);
        try
        {
            Run(args[0], request);
            return 0;
        }
        catch (Mistake mistake)
        {
            File.WriteAllLines(request.Errors, mistake.Lines);
            if (!mistake.Shown)
                Console.Error.WriteLine(mistake.Message);
            return 1;
        }
    }

    static void Run(string command, Request request)
    {
        switch (command)
        {
            case "resolve":
                new Resolver(request).Resolve();
                break;
            case "install":
                new Native(request).Install();
                break;
            case "unpack":
                new Foreign(request).Unpack();
                break;
            case "apply":
                new Foreign(request).Apply();
                break;
            default:
                throw new ArgumentException($"no command {command}");
        }
    }
}

/// <summary>What the user has to know: one mistake for each line.</summary>
sealed class Mistake(IReadOnlyList<string> lines) : Exception(string.Join("\n", lines))
{
    internal Mistake(string line) : this([line]) { }

    internal IReadOnlyList<string> Lines { get; } = lines;
    /// <summary>Whether the log has it already.</summary>
    internal bool Shown { get; init; }
}
