using System;
using System.IO;
using Microsoft.Build.FileSystem;

namespace Crosshull;

/// <summary>
/// The file system that MSBuild evaluates with (EvaluationContext.Create). It sees which names projects look for: by
/// Exists() in conditions, GetPathOfFileAbove, wildcards of imports.
/// </summary>
sealed class Recorder : MSBuildFileSystemBase
{
    readonly Trap trap;

    public Recorder(Trap trap) => this.trap = trap;

    void Note(string path)
    {
        // MSBuild asks for an empty path to find the folder of a wildcard with ~ in it (FileMatcher.GetLongPathName).
        if (trap.Reader is { } reader && path != "") reader.Reads.Existence(Path.GetFullPath(path));
    }

    public override bool DirectoryExists(string path) { Note(path); return base.DirectoryExists(path); }
    public override bool FileExists(string path) { Note(path); return base.FileExists(path); }
    public override bool FileOrDirectoryExists(string path) { Note(path); return base.FileOrDirectoryExists(path); }
}
