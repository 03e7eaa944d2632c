using System.Collections.Generic;
using System.IO;

namespace Crosshull;

/// <summary>The contents that the frontend has given, by their paths in the context.</summary>
static class Contents
{
    /// <summary>Reads a folder into memory, as this process will lose the right to read it.</summary>
    public static Dictionary<string, byte[]> Read(string folder)
    {
        var contents = new Dictionary<string, byte[]>();
        if (!Directory.Exists(folder)) return contents;
        var all = new EnumerationOptions
        {
            RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint,
        };
        foreach (var file in Directory.EnumerateFiles(folder, "*", all))
            contents[Path.GetRelativePath(folder, file)] = File.ReadAllBytes(file);
        return contents;
    }
}
