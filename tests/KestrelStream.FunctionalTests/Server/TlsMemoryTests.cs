using System.Net.Security;
using System.Net.Sockets;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;
using Xunit.Abstractions;

namespace KestrelStream.FunctionalTests.Server;

/// <summary>What TLS sessions keep while they wait, and that they leave nothing behind.</summary>
public sealed class TlsMemoryTests(ITestOutputHelper output)
{
    private const int Sessions = 400;
    private const int Handshakes = 1_500;

    /// <summary>A session takes some 14 KB; with its record buffers it would be 33 KB more.</summary>
    private const int MostASession = 30_000;

    /// <summary>A fraction of what an SSL each would be.</summary>
    private const long MostGrowth = 6_000_000;

    [Fact]
    public async Task Idle_AfterATransfer_HoldsNoRecordBuffers()
    {
        await using var upstream = ScriptedUpstream.Echo();
        using var folder = new TempFolder();
        await using var server = await StartAsync(folder, upstream);
        var clients = new List<SslStream>();
        try
        {
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

    [Fact]
    public async Task Idle_TlsOnBothSides_HoldsNoRecordBuffers()
    {
        await using var upstream = TlsUpstream.Echo(TestCertificates.Shared.Issue("127.0.0.1"));
        using var folder = new TempFolder();
        folder.Write("ca.pem", TestCertificates.Shared.Root.ExportCertificatePem());
        await using var server = await StartAsync(folder, upstream, """ "Tls": { "TrustedCertificates": "ca.pem" }, """);
        var clients = new List<SslStream>();
        try
        {
            await OpenAsync(server, clients, Sessions);
            var before = server.ResidentBytes();
            await OpenAsync(server, clients, Sessions);
            var each = (server.ResidentBytes() - before) / Sessions;

            output.WriteLine($"an idle session with TLS on both sides keeps {each} bytes");
            Assert.True(each < 2 * MostASession, $"an idle session keeps {each} bytes");
        }
        finally
        {
            clients.ForEach(client => client.Dispose());
        }
    }

    [Fact]
    public async Task ManyHandshakes_MemoryStaysFlat()
    {
        await using var upstream = ScriptedUpstream.Echo();
        using var folder = new TempFolder();
        await using var server = await StartAsync(folder, upstream);

        await ComeAndGoAsync(server, Handshakes);
        var before = server.ResidentBytes();
        await ComeAndGoAsync(server, Handshakes);

        var growth = server.ResidentBytes() - before;
        Assert.True(growth < MostGrowth, $"{Handshakes} handshakes left {growth} bytes");
    }

    private static async Task<ServerProcess> StartAsync(TempFolder folder, ScriptedUpstream upstream, string cluster = "")
    {
        TestCertificates.Shared.Issue("a.example.com").WritePem(folder);
        return await ServerProcess.StartAsync(new ServerOptions
        {
            ConfigPath = folder.Write("appsettings.json", $$"""
                {
                  "StreamProxy": {
                    "Engine": "EventLoop", "Tls": { "Engine": "OpenSsl" },
                    "Listeners": { "public": { "Address": "127.0.0.1:0" } },
                    "Certificates": { "a": { "Path": "fullchain.pem", "KeyPath": "privkey.pem" } },
                    "Routes": { "all": { "Tls": { "Mode": "Terminate", "Certificates": ["a"] }, "ClusterId": "c" } },
                    "Clusters": { "c": { {{cluster}}"Destinations": { "a": { "Address": "{{upstream.EndPoint}}" } } } }
                  }
                }
                """),
        });
    }

    private static async Task ComeAndGoAsync(ServerProcess server, int count)
    {
        // A few at a time: some end with close_notify, some without, some in the middle of the handshake.
        await Parallel.ForAsync(0, count, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, _) =>
        {
            if (i % 8 == 0)
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                await socket.ConnectAsync(server.Listener("public"), CancellationToken.None);
                await socket.SendAllAsync(ClientHelloBuilder.Browser("a.example.com").Build());
                return;
            }

            await using var ssl = await ConnectAsync(server);
            if (i % 2 == 0)
            {
                await ssl.ShutdownAsync();
            }
        });
    }

    private static async Task OpenAsync(ServerProcess server, List<SslStream> clients, int count)
    {
        var payload = new byte[20_000];
        for (var i = 0; i < count; i++)
        {
            var ssl = await ConnectAsync(server);
            clients.Add(ssl);
            await ssl.WriteAsync(payload);
            await ssl.ReadExactlyAsync(payload);
        }
    }

    private static async Task<SslStream> ConnectAsync(ServerProcess server)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.Listener("public"));
        var ssl = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync("a.example.com").WaitAsync(Wait.Limit);
        return ssl;
    }
}
