using System.Net;

namespace WorkerApp;

/// <summary>The Worker section of the configuration.</summary>
public sealed class WorkerOptions
{
    public string Name { get; set; } = "worker";

    /// <summary>Time between two ticks.</summary>
    public TimeSpan Interval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Address and port that tell the number of ticks.</summary>
    public string Listen { get; set; } = "127.0.0.1:9090";

    /// <exception cref="FormatException">The address is not one.</exception>
    public IPEndPoint EndPoint => IPEndPoint.Parse(Listen);
}
