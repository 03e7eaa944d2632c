using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.CompilerServices;

namespace Crosshull;

/// <summary>
/// Says what MSBuild knows of the projects of a build context, and what a build of them reads: <c>dotnet evaluator.dll
/// REQUEST ANSWER DONE [RESTORED]</c>. The first two are JSON, see <see cref="Request"/> and <see cref="Answer"/>. DONE
/// is the same whatever the answer is: a step that needs it runs after this program, but not again for another answer.
/// RESTORED is the context as a restore has left it, see <see cref="Restored"/>.
/// </summary>
static class Program
{
    static int Main(string[] args)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;
        CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.InvariantCulture;
        CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;
        var request = Request.Read(args[0]);
        using var answer = new FileStream(args[1], FileMode.Create, FileAccess.Write);
        File.WriteAllText(args[2], "described\n");
        var restored = args.Length > 3 ? new Restored(args[3]) : null;
        var contents = Contents.Read(request.Contents);
        if (restored != null && !restored.Matters(contents.Where(c => Tree.IsProject(c.Key)).Select(c => c.Value)))
        {
            answer.Write("{\"same\": true}"u8);
            return 0;
        }
        Rights.Drop(request.Root);
        var tree = new Tree(request.Root, request.Folder, contents, restored);
        tree.Lay(request.Names);
        Directory.SetCurrentDirectory(tree.Start); // MSBuildStartupDirectory
        Sdk.Use(Directory.GetCurrentDirectory());
        Evaluate(request, tree, answer);
        return 0;
    }

    // Apart from Main, as .NET loads the types of MSBuild that a method names before the method runs.
    [MethodImpl(MethodImplOptions.NoInlining)]
    static void Evaluate(Request request, Tree tree, Stream to)
    {
        try
        {
            AnswerWriter.Write(to, new Session(request, tree).Answer(), request);
        }
        catch (TooManyProjectsException e)
        {
            AnswerWriter.Write(to, e, request);
        }
    }
}
