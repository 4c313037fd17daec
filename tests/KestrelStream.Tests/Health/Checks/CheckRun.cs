using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Health.Checks;
using KestrelStream.TestKit;
using KestrelStream.Tests.Model;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.Tests.Health.Checks;

/// <summary>One check of one destination, run by hand.</summary>
internal static class CheckRun
{
    /// <summary>Checks an address and gives what was found.</summary>
    public static async Task<CheckReport> AgainstAsync(
        EndPoint endPoint, ActiveHealthCheckConfig config, X509Certificate2Collection? authorities = null, DestinationConfig? destination = null)
    {
        var host = destination ?? new DestinationConfig();
        host = host.Address.Length > 0 ? host : host with { Address = endPoint.ToString()! };
        await using var services = new ServiceCollection().AddStreamProxy().Services.BuildServiceProvider();
        var cluster = new TestCluster(TestCluster.Config(("a", host)));
        var check = new DestinationCheck(
            services.GetRequiredService<HealthChecker>(), cluster.State, cluster.Destination("a"), CheckSettings.Create(config, host, authorities));
        await check.RunAsync().WaitAsync(Wait.Limit);
        check.Stop();
        return cluster.Destination("a").LastCheck!;
    }

    /// <summary>Checks a peer that runs a script; it fails when the script does.</summary>
    public static async Task<CheckReport> AgainstAsync(Func<Socket, Task> script, ActiveHealthCheckConfig config, X509Certificate2Collection? authorities = null, DestinationConfig? destination = null)
    {
        await using var peer = new ScriptedUpstream(script);
        var report = await AgainstAsync(peer.EndPoint, config, authorities, destination);

        // The check is over when it knows its answer; the script when it has read the check's last word.
        await Wait.UntilAsync(() => peer.Active == 0, "the end of the script");
        return peer.Failure is null ? report : throw new InvalidOperationException("The script failed.", peer.Failure);
    }

    /// <summary>Sends all at once, or byte by byte, then waits for the end.</summary>
    public static Func<Socket, Task> Says(byte[] bytes, bool byteByByte = false, bool closes = false) => async socket =>
    {
        try
        {
            foreach (var part in byteByByte ? bytes.Chunk(1) : [bytes])
            {
                await socket.SendAllAsync(part);
            }

            if (closes)
            {
                socket.Shutdown(SocketShutdown.Send);
            }
        }
        catch (SocketException)
        {
            // A check that has heard enough resets its connection.
        }

        await DrainAsync(socket);
    };

    /// <summary>Reads whatever comes, to the end or a reset.</summary>
    public static async Task DrainAsync(Socket socket)
    {
        try
        {
            var buffer = new byte[4096];
            while (await socket.ReceiveAsync(buffer) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // A check that failed resets its connection.
        }
    }
}
