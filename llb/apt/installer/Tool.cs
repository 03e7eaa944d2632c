#nullable enable

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Text;
using System.Threading;

namespace Crosshull.Packages;

/// <summary>Runs the programs of the image: apt, dpkg and what belongs to them.</summary>
static class Tool
{
    /// <summary>What a program wrote, and how it ended.</summary>
    internal readonly record struct Result(int Code, string Output, string Errors);

    /// <summary>
    /// Runs a program. Shows what it writes at once, and gives it too. Only programs that are shown run scripts. A
    /// daemon that a script starts can keep the output open, so nothing waits long for the end of that.
    /// </summary>
    internal static Result Run(
        string program, IEnumerable<string> args, IReadOnlyDictionary<string, string>? variables = null,
        bool show = true)
    {
        using var process = new Process { StartInfo = With(program, args, variables) };
        StringBuilder output = new(), errors = new();
        var open = new CountdownEvent(2); // not disposed of, because a late line may still signal it
        process.OutputDataReceived += (_, line) => Take(line.Data, output, show ? Console.Out : TextWriter.Null, open);
        process.ErrorDataReceived += (_, line) => Take(line.Data, errors, Console.Error, open);
        process.Start();
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit(int.MaxValue); // without a limit, it also waits for the end of the output
        open.Wait(show ? TimeSpan.FromSeconds(10) : Timeout.InfiniteTimeSpan);
        return new Result(process.ExitCode, Text(output), Text(errors));
    }

    static string Text(StringBuilder all)
    {
        lock (all)
            return all.ToString();
    }

    static void Take(string? line, StringBuilder all, TextWriter shown, CountdownEvent open)
    {
        if (line == null)
        {
            open.Signal();
            return;
        }
        lock (all)
            all.Append(line).Append('\n');
        shown.WriteLine(line);
    }

    /// <summary>What a program writes. An error if it fails.</summary>
    internal static string Output(string program, params string[] args)
    {
        var result = Run(program, args, show: false);
        return result.Code == 0 ? result.Output : throw Failed(program, args, result.Code, result.Errors);
    }

    /// <summary>The bytes that a program writes. An error if it fails.</summary>
    internal static MemoryStream Bytes(string program, params string[] args)
    {
        using var process = Process.Start(With(program, args, null))!;
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync();
        var bytes = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(bytes);
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw Failed(program, args, process.ExitCode, errors.Result);
        bytes.Position = 0;
        return bytes;
    }

    static IOException Failed(string program, string[] args, int code, string errors) =>
        new($"{program} {string.Join(' ', args)}: exit code {code}: {errors}");

    static ProcessStartInfo With(
        string program, IEnumerable<string> args, IReadOnlyDictionary<string, string>? variables)
    {
        var start = new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true,
        };
        foreach (var arg in args)
            start.ArgumentList.Add(arg);
        start.Environment["LC_ALL"] = "C.UTF-8";
        start.Environment["DEBIAN_FRONTEND"] = "noninteractive";
        foreach (var (name, value) in variables ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        return start;
    }
}
