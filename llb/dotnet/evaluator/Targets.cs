using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.Build.Construction;
using Microsoft.Build.Execution;

namespace Crosshull;

/// <summary>
/// Finds what the targets of a repository and of packages read while they run, without running them: MSBuild runs
/// copies of them that record what their tasks would get, see <see cref="Copies"/> and <see cref="Calls"/>. If a target
/// of the repository reads what only a run can tell, that may be anything, see <see cref="Doubts"/>. Targets of
/// packages get no such doubts: they mostly make these values from what they write themselves.
/// </summary>
sealed class Targets
{
    readonly Tree tree;
    readonly Evaluator evaluator;
    readonly Trap trap;
    readonly BuildManager builds;
    readonly Inputs inputs;

    public Targets(Tree tree, Evaluator evaluator, Trap trap, BuildManager builds, Inputs inputs)
    {
        this.tree = tree;
        this.evaluator = evaluator;
        this.trap = trap;
        this.builds = builds;
        this.inputs = inputs;
    }

    /// <summary>Adds what the project's own targets read; gives the projects that they build by task MSBuild.</summary>
    public List<(string Path, Globals Globals)> Record(Project project)
    {
        var own = Parsed(project.Imports);
        var files = own.Concat(Parsed(project.PackageImports)).ToList();
        var calls = new Calls(project, tree, inputs, own.SelectMany(f => f.UsingTasks));
        if (project.Instance == null || files.All(f => f.Targets.Count == 0)) return calls.Built;
        new Doubts(own.SelectMany(f => f.Targets).ToList()).Tell(
            why => project.Reads.Everything(Phase.Build, why), tree.Root);
        // The value of a condition in a target depends on what has run before, so the copies run with and without
        // conditions.
        foreach (var conditions in new[] { true, false })
            using (var copies = new Copies(files, conditions)) Record(project, copies, calls);
        return calls.Built;
    }

    List<ProjectRootElement> Parsed(IEnumerable<string> files) =>
        files.Select(evaluator.Parsed).Where(f => f != null).ToList();

    void Record(Project project, Copies copies, Calls calls)
    {
        var copied = new Project(project.Path, project.Globals, tree);
        evaluator.Evaluate(copied);
        if (copied.Instance == null) return;
        var names = copies.Names.Where(copied.Instance.Targets.ContainsKey).ToArray();
        AppDomain.CurrentDomain.SetData("crosshull.record", calls.Recorder);
        using var _ = trap.Read(project, Phase.Build);
        // The second time, each target finds what the targets after it in the files have set.
        for (var time = 0; time < 2; time++)
            if (!Run(copied.Instance, names))
                foreach (var name in names.Where(n => !Run(copied.Instance, n)))
                    project.Reads.Everything(
                        Phase.Build, "MSBuild cannot run a copy of its target " + copies.Original(name));
        inputs.Collect(project, copied.Instance); // the items and properties that targets make
    }

    bool Run(ProjectInstance instance, params string[] names)
    {
        const BuildRequestDataFlags anew = BuildRequestDataFlags.ReplaceExistingProjectInstance |
            BuildRequestDataFlags.IgnoreExistingProjectState;
        return builds.BuildRequest(new BuildRequestData(instance, names, null, anew)).OverallResult ==
            BuildResultCode.Success;
    }
}
