using System.IO;
using System.Linq;

namespace Crosshull;

/// <summary>The context as a restore has left it: project files, and what NuGet wrote beside them.</summary>
sealed class Restored
{
    public Restored(string folder) => Folder = folder.TrimEnd('/') + "/";

    /// <summary>The folder, with a slash at its end.</summary>
    public string Folder { get; }

    /// <summary>
    /// Whether a project imports a file of a package. NuGet writes NAME.nuget.g.props and NAME.nuget.g.targets for each
    /// project (NuGet.Commands, BuildAssetsUtils), mostly without an import in them.
    /// </summary>
    public bool BringsFiles =>
        Directory.EnumerateFiles(Folder, "*.nuget.g.*", All).Any(f => File.ReadAllText(f).Contains("<Import "));

    static readonly EnumerationOptions All = new()
    {
        RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint,
    };
}
