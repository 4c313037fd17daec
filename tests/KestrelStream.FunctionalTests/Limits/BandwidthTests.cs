using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.Limits;

/// <summary>Bytes a second of one session: after a burst of one second no faster than the limit, and every byte arrives.</summary>
public sealed class BandwidthTests
{
    private const int BytesPerSecond = 400_000;

    /// <summary>One second's worth at once, the rest in 1.5 s.</summary>
    private static readonly byte[] s_bytes = RandomNumberGenerator.GetBytes((int)(BytesPerSecond * 2.5));

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Download_IsHeldToItsLimit_AndUploadIsNot(EngineKind engine)
    {
        await using var upstream = Exchanging(s_bytes);
        await using var proxy = await ProxyEnvironment.StartAsync(
            LimitTests.Routes(ProxyEnvironment.OneRoute(engine, upstream.EndPoint), new LimitsConfig { DownloadBytesPerSecond = BytesPerSecond }));
        using var client = await proxy.ConnectAsync();
        await ExchangeAsync(new NetworkStream(client), () => client.Shutdown(SocketShutdown.Send), isDownloadSlow: true);
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
        Assert.Equal((s_bytes.Length, s_bytes.Length), (proxy.Sessions.Single().BytesIn, proxy.Sessions.Single().BytesOut));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Upload_IsHeldToItsLimit_AndDownloadIsNot(EngineKind engine)
    {
        await using var upstream = Exchanging(s_bytes);
        await using var proxy = await ProxyEnvironment.StartAsync(
            LimitTests.Routes(ProxyEnvironment.OneRoute(engine, upstream.EndPoint), new LimitsConfig { UploadBytesPerSecond = BytesPerSecond }));
        using var client = await proxy.ConnectAsync();
        await ExchangeAsync(new NetworkStream(client), () => client.Shutdown(SocketShutdown.Send), isDownloadSlow: false);
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task TlsThatEndsHere_IsHeldToItsLimits(EngineKind engine, TlsEngineKind tlsEngine)
    {
        foreach (var isDownloadSlow in new[] { true, false })
        {
            using var folder = new TempFolder();
            await using var upstream = Exchanging(s_bytes);
            var limits = isDownloadSlow ? new LimitsConfig { DownloadBytesPerSecond = BytesPerSecond } : new LimitsConfig { UploadBytesPerSecond = BytesPerSecond };
            await using var proxy = await ProxyEnvironment.StartAsync(
                LimitTests.Terminating(LimitTests.Routes(ProxyEnvironment.OneRoute(engine, upstream.EndPoint), limits), tlsEngine, folder));
            using var client = await proxy.ConnectAsync();
            await using var tls = new SslStream(new NetworkStream(client), false, (_, _, _, _) => true);
            await tls.AuthenticateAsClientAsync("www.example.com");

            // Its end comes last: .NET's own ShutdownAsync is not safe beside a read that decrypts.
            await ExchangeAsync(tls, () => { }, isDownloadSlow);
            await tls.ShutdownAsync().WaitAsync(Wait.Limit);
            Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Reset_InAPause_EndsTheSession(EngineKind engine)
    {
        await using var upstream = Exchanging(s_bytes);
        await using var proxy = await ProxyEnvironment.StartAsync(
            LimitTests.Routes(ProxyEnvironment.OneRoute(engine, upstream.EndPoint), new LimitsConfig { DownloadBytesPerSecond = 1000, UploadBytesPerSecond = 1000 }));
        using var client = await proxy.ConnectAsync();
        await client.ReceiveExactlyAsync(1000);
        client.Reset();

        Assert.Equal(SessionEndReason.ClientReset, await proxy.EndReasonAsync());
    }

    /// <summary>Sends all it has while it receives, and says with one byte more that it has got everything.</summary>
    private static ScriptedUpstream Exchanging(byte[] bytes) => new(async socket =>
    {
        var sending = socket.SendAllAsync(bytes);
        await socket.ReceiveExactlyAsync(bytes.Length);
        await sending;
        socket.Shutdown(SocketShutdown.Send);
        await socket.ReceiveToEndAsync();
    });

    private static async Task ExchangeAsync(Stream stream, Action end, bool isDownloadSlow)
    {
        var watch = Stopwatch.StartNew();
        var sending = Task.Run(async () =>
        {
            await stream.WriteAsync(s_bytes);
            end();
        });
        var received = new byte[s_bytes.Length];
        await stream.ReadExactlyAsync(received).AsTask().WaitAsync(Wait.Limit);
        var downloaded = watch.Elapsed;
        await sending.WaitAsync(Wait.Limit);
        Assert.Equal(0, await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Wait.Limit));
        var ended = watch.Elapsed;

        Assert.Equal(s_bytes, received);
        Assert.InRange((isDownloadSlow ? downloaded : ended).TotalSeconds, 1.3, 20);
        Assert.True(isDownloadSlow || downloaded < ended, $"{downloaded} {ended}");
    }
}
