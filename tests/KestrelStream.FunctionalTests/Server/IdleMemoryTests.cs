using System.Net.Sockets;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>What sessions keep that have moved bytes and wait now.</summary>
public sealed class IdleMemoryTests
{
    private const int Sessions = 500;

    /// <summary>Fills every buffer that a session may have had.</summary>
    private const int Bytes = 200_000;

    /// <summary>Far more than a session takes; a third of what one buffer a direction would be.</summary>
    private const int MostASession = 40_000;

    [Theory]
    [InlineData("Sockets")]
    [InlineData("Auto")]
    public async Task Idle_AfterATransfer_HoldsNoBuffer(string engine)
    {
        using var folder = new TempFolder();
        await using var upstream = ScriptedUpstream.Echo();
        await using var server = await ServerProcess.StartAsync(new ServerOptions
        {
            ConfigPath = folder.Write("appsettings.json", ServerConfig.OneRoute(upstream.EndPoint, $$""" "Engine": "{{engine}}", """)),
        });

        var clients = new List<Socket>();
        try
        {
            // The first ones take what is the program's and not theirs: pools, compiled code.
            await OpenAsync(server, clients, Sessions);
            var before = server.ResidentBytes();
            await OpenAsync(server, clients, Sessions);
            var each = (server.ResidentBytes() - before) / Sessions;

            Assert.True(each < MostASession, $"an idle session keeps {each} bytes");
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    private static async Task OpenAsync(ServerProcess server, List<Socket> clients, int count)
    {
        var payload = new byte[Bytes];
        for (var i = 0; i < count; i++)
        {
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            clients.Add(client);
            await client.ConnectAsync(server.Listener("public"));
            var sending = client.SendAllAsync(payload);
            await client.ReceiveExactlyAsync(Bytes);
            await sending;
        }
    }
}
