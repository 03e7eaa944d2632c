using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;

namespace Crosshull;

/// <summary>A task as it would be called.</summary>
/// <param name="Place">FILE:LINE of the task.</param>
/// <param name="Property">The property that has the command, if it is in no target of the repository.</param>
sealed record Call(
    string Task, string Place, bool OfPackage, List<(string Name, string Value)> Parameters, string Property = null)
{
    public bool Is(string task) => Task.Equals(task, StringComparison.OrdinalIgnoreCase);
    public bool IsKnown => Calls.IsKnown(Task);

    /// <summary>The value of a parameter; empty where there is none.</summary>
    public string this[string name] =>
        Parameters.FirstOrDefault(p => p.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Value ?? "";

    /// <summary>The task and its place, as the reason for what is read.</summary>
    public string Why(Tree tree) => Property != null ? "property " + Property : Task + " in " +
        (OfPackage ? Path.GetFileName(Place) : Path.GetRelativePath(tree.Root, Place));
}
