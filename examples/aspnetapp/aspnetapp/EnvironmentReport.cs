using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;

namespace AspNetApp;

/// <summary>What the process sees of the machine and the container it runs in.</summary>
public sealed record EnvironmentReport(
    string Architecture,
    string DotNetVersion,
    string OperatingSystem,
    int ProcessorCount,
    long MemoryLimitBytes,
    string HostName)
{
    public static EnvironmentReport Collect() => new(
        RuntimeInformation.OSArchitecture.ToString(),
        RuntimeInformation.FrameworkDescription,
        RuntimeInformation.OSDescription,
        Environment.ProcessorCount,
        // The collector reads the container's limit, and falls back to the memory of the machine.
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes,
        Environment.MachineName);

    /// <summary>The memory limit for people: 512 MiB, 7.6 GiB.</summary>
    [JsonIgnore]
    public string MemoryLimit => MemoryLimitBytes >= 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{MemoryLimitBytes / (double)(1L << 30):0.0} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{MemoryLimitBytes / (1L << 20)} MiB");
}

/// <summary>Serializes the report with code made by the compiler instead of reflection.</summary>
[JsonSerializable(typeof(EnvironmentReport))]
internal sealed partial class EnvironmentJsonContext : JsonSerializerContext;
