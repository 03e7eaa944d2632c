using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Options;

namespace WorkerApp;

/// <summary>Tells everybody who connects the number of ticks, and asks for it: the health check.</summary>
public sealed class Status(IOptions<WorkerOptions> options, Counter counter) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var listener = new TcpListener(options.Value.EndPoint);
        listener.Start();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                using var client = await listener.AcceptTcpClientAsync(stoppingToken);
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"ticks {counter.Ticks}\n"), stoppingToken);
            }
            catch (Exception e) when (e is IOException or SocketException)
            {
                // The other side went away: the next one may be luckier.
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    /// <summary>Asks the worker of this machine; the answer is an exit code.</summary>
    public static async Task<int> CheckAsync(WorkerOptions options)
    {
        var address = options.EndPoint.Address;
        if (address.Equals(IPAddress.Any))
        {
            address = IPAddress.Loopback;
        }
        try
        {
            using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(3));
            using var client = new TcpClient();
            await client.ConnectAsync(address, options.EndPoint.Port, timeout.Token);
            using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
            var answer = await reader.ReadLineAsync(timeout.Token);
            Console.WriteLine(answer);
            return answer?.StartsWith("ticks ", StringComparison.Ordinal) == true ? 0 : 1;
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            Console.Error.WriteLine($"worker: no answer from {address}:{options.EndPoint.Port}: {e.Message}");
            return 1;
        }
    }
}
