using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.Build.Execution;
using Microsoft.Build.Framework;

namespace Crosshull;

/// <summary>
/// What the SDK says of the image (target ComputeContainerConfig in Microsoft.NET.Build.Containers.targets). It needs
/// no restore.
/// </summary>
sealed class Container
{
    static readonly string[] Target = { "CrosshullContainerDefaults", "ComputeContainerConfig" };

    /// <summary>Null where the SDK could not say, see <see cref="Errors"/>.</summary>
    public ProjectInstance Instance { get; private init; }
    public List<Problem> Errors { get; private init; }

    /// <summary>Asks for one runtime identifier or for none: for several, the SDK's answer is empty.</summary>
    public static Container Ask(Project project, BuildManager builds, ErrorLog log)
    {
        var instance = project.Instance.DeepCopy();
        var targets = Target.Where(instance.Targets.ContainsKey).ToArray();
        log.Clear();
        if (targets.Length == 0) return new Container { Instance = instance, Errors = new() };
        var result = builds.BuildRequest(new BuildRequestData(instance, targets, null,
            BuildRequestDataFlags.ReplaceExistingProjectInstance | BuildRequestDataFlags.IgnoreExistingProjectState));
        return result.OverallResult == BuildResultCode.Success
            ? new Container { Instance = instance, Errors = new() }
            : new Container { Errors = log.Errors.ToList() };
    }
}

/// <summary>Keeps the errors of targets.</summary>
sealed class ErrorLog : ILogger
{
    public List<Problem> Errors { get; } = new();
    public LoggerVerbosity Verbosity { get; set; } = LoggerVerbosity.Minimal;
    public string Parameters { get; set; }
    public void Initialize(IEventSource source) =>
        source.ErrorRaised += (_, e) => Errors.Add(new Problem(
            e.File ?? "", e.LineNumber, e.ColumnNumber, e.Code ?? "", e.Message, e.ProjectFile ?? ""));
    public void Shutdown() { }
    public void Clear() => Errors.Clear();
}
