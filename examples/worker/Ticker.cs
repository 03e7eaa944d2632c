using System.Runtime.InteropServices;
using Microsoft.Extensions.Options;

namespace WorkerApp;

/// <summary>Logs a tick with the architecture, until the host stops.</summary>
public sealed partial class Ticker(IOptions<WorkerOptions> options, Counter counter, ILogger<Ticker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.Interval);
        try
        {
            do
            {
                LogTick(options.Value.Name, counter.Add(), RuntimeInformation.OSArchitecture);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            LogStopped(options.Value.Name, counter.Ticks);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name}: tick {Number} on {Architecture}")]
    private partial void LogTick(string name, long number, Architecture architecture);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name}: stopped after {Number} ticks")]
    private partial void LogStopped(string name, long number);
}
