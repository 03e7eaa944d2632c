using System;
using Microsoft.Build.Framework;

/// <summary>Stands for a task that does not run, and tells what the task would get. See Crosshull.Targets.</summary>
/// <remarks>
/// MSBuild finds a task by its name in an assembly, which it loads a second time for that. So this type does not see
/// the program's static members, only what the process holds (AppDomain.GetData).
/// </remarks>
public sealed class CrosshullRecord : ITask
{
    /// <summary>The most parameters that a recorded task can have.</summary>
    public const int Most = 16;

    public IBuildEngine BuildEngine { get; set; }
    public ITaskHost HostObject { get; set; }

    /// <summary>Name of the task, and the place of its XML.</summary>
    public string Task { get; set; }
    public string Place { get; set; }

    /// <summary>Names of the parameters, in the order of their values.</summary>
    public string Names { get; set; }
    public string P0 { get; set; }
    public string P1 { get; set; }
    public string P2 { get; set; }
    public string P3 { get; set; }
    public string P4 { get; set; }
    public string P5 { get; set; }
    public string P6 { get; set; }
    public string P7 { get; set; }
    public string P8 { get; set; }
    public string P9 { get; set; }
    public string P10 { get; set; }
    public string P11 { get; set; }
    public string P12 { get; set; }
    public string P13 { get; set; }
    public string P14 { get; set; }
    public string P15 { get; set; }

    public bool Execute()
    {
        var record = (Action<string, string, string[], string[]>)AppDomain.CurrentDomain.GetData("crosshull.record");
        var values = new[] { P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15 };
        record(Task, Place, Names.Split(';'), values);
        return true;
    }
}
