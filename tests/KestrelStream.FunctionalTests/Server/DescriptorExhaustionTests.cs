using System.Diagnostics;
using System.Net.Sockets;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>More clients than descriptors, with a real <c>ulimit -n</c>.</summary>
public sealed class DescriptorExhaustionTests
{
    private const int Limit = 300;
    private const int Clients = 250; // Each needs two.

    [Theory]
    [InlineData("Sockets")]
    [InlineData("Auto")]
    public async Task Exhaustion_MoreClientsThanFit_PausesWithoutSpinningAndServesAgain(string engine)
    {
        using var folder = new TempFolder();
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await ServerProcess.StartAsync(new ServerOptions
        {
            ConfigPath = folder.Write("appsettings.json", ServerConfig.OneRoute(
                upstream.EndPoint, $$""" "Engine": "{{engine}}", "Admin": { "Address": "127.0.0.1:0" }, """)),
            DescriptorLimit = Limit,
        });

        var clients = new List<Socket>();
        try
        {
            for (var i = 0; i < Clients; i++)
            {
                var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                clients.Add(client);
                await client.ConnectAsync(server.Listener("public"));
                await client.SendAllAsync(new byte[1]);
            }

            // The first ones are served; the last one waits in the kernel's queue.
            await clients[0].ReceiveExactlyAsync(1);
            await server.Error.WaitForAsync(line => line.Contains("descriptor", StringComparison.OrdinalIgnoreCase) && line.Contains("warn", StringComparison.Ordinal), Wait.Limit);
            var served = await SettleAsync(upstream);
            Assert.InRange(served, 10, Limit / 2);

            // Waiting costs next to nothing.
            var (before, watch) = (server.ProcessorTime(), Stopwatch.StartNew());
            await Task.Delay(TimeSpan.FromSeconds(2.5));
            var share = (server.ProcessorTime() - before) / watch.Elapsed;
            Assert.True(share < 0.2, $"{share:P0} of a processor while nothing can be accepted");
            Assert.False(server.HasExited);

            // The reserve keeps the admin port answering.
            Assert.Equal(200, (await Curl.GetAsync(server.Admin, "/readyz")).Status);

            // Those who leave make room for those who wait; as many stay as fit, whoever of them was served first.
            foreach (var client in clients.SkipLast(served))
            {
                client.Dispose();
            }

            foreach (var client in clients.TakeLast(served))
            {
                await client.ReceiveExactlyAsync(1);
            }
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }

        using var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await late.ConnectAsync(server.Listener("public"));
        await late.SendAllAsync("x"u8.ToArray());
        Assert.Equal("x"u8.ToArray(), await late.ReceiveExactlyAsync(1));
        late.Dispose();
        Assert.Equal(0, (await server.StopAsync()).ExitCode);
    }

    /// <summary>Number of sessions that reached the destination, once it stands still.</summary>
    private static async Task<int> SettleAsync(ScriptedUpstream upstream)
    {
        var (count, until) = (-1, DateTime.UtcNow + Wait.Limit);
        while (count != upstream.Count && DateTime.UtcNow < until)
        {
            count = upstream.Count;
            await Task.Delay(TimeSpan.FromSeconds(1));
        }

        return count;
    }
}
