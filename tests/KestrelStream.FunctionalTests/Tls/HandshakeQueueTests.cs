using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>A loop with more handshakes than it has time for, beside sessions that move bytes. RSA keys: a step of theirs takes 1 ms.</summary>
public sealed class HandshakeQueueTests : IDisposable
{
    private static readonly TestClientAuthority s_authority = new("Clients");

    private readonly TlsScene _scene = new();
    private readonly ScriptedUpstream _echo = ScriptedUpstream.Echo();

    public void Dispose()
    {
        _echo.DisposeAsync().AsTask().Wait(Wait.Limit);
        _scene.Dispose();
    }

    [Theory]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls13, false)]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls13, true)]
    public async Task HandshakesThatCrowdTheLoop_AreMadeByItsHelper_AndAllAreGood(SslProtocols version, bool withCertificate)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(withCertificate));
        var hello = await RecordHelloAsync(version);
        using var stop = new CancellationTokenSource();
        var plain = TalkAsync(proxy, stop.Token);
        var leavers = Enumerable.Range(0, 2).Select(_ => LeaveAsync(proxy, hello, stop.Token)).ToArray();
        using var certificate = withCertificate ? s_authority.Issue("CN=right").Leaf : null;

        async Task ComeAsync()
        {
            while (!stop.IsCancellationRequested)
            {
                await ShakeHandsAsync(proxy, version, certificate);
            }
        }

        var comers = Enumerable.Range(0, 6).Select(_ => ComeAsync()).ToArray();
        await Wait.UntilAsync(() => Steps(proxy, "helper") >= 300 || comers.Any(c => c.IsFaulted) || plain.IsFaulted, "300 steps by the helper");

        await stop.CancelAsync();
        await Task.WhenAll([plain, .. comers, .. leavers]);
        Assert.True(Steps(proxy, "loop") > 0);
        Assert.DoesNotContain(proxy.Log.Events, e => e.Level >= LogLevel.Error);
    }

    [Fact]
    public async Task LoopThatStopsWhileItsHelperIsAtWork_EndsEverySession()
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(withCertificate: false) with { ShutdownTimeout = TimeSpan.FromMilliseconds(100) });
        var hello = await RecordHelloAsync(SslProtocols.Tls13);
        using var stop = new CancellationTokenSource();
        var plain = TalkAsync(proxy, stop.Token);
        var leavers = Enumerable.Range(0, 4).Select(_ => LeaveAsync(proxy, hello, stop.Token)).ToArray();
        await Wait.UntilAsync(() => Steps(proxy, "helper") >= 20, "the helper to be at work");

        await proxy.StopAsync().WaitAsync(Wait.Limit);

        await stop.CancelAsync();

        // Cut by the stop, unless it has just paused.
        await plain.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await Task.WhenAll(leavers);
        await Wait.UntilAsync(() => proxy.Sessions.All(session => session.EndReason != SessionEndReason.None), "every session to end");
        Assert.DoesNotContain(proxy.Log.Events, e => e.Level >= LogLevel.Error);
    }

    [Fact]
    public async Task MoreHellosThanMayWait_StayInTheKernelsQueue_AndAllAreAnswered()
    {
        const int clients = 3000, mayWait = 512, acceptedAtOnce = 64;
        await using var proxy = await ProxyEnvironment.StartAsync(Config(withCertificate: false));
        var hello = await RecordHelloAsync(SslProtocols.Tls13);
        var sockets = new List<Socket>();
        try
        {
            for (var i = 0; i < clients; i++)
            {
                sockets.Add(await proxy.ConnectAsync());
                await sockets[^1].SendAllAsync(hello);
            }

            foreach (var socket in sockets)
            {
                Assert.Equal([0x16], await socket.ReceiveExactlyAsync(1));
                Assert.InRange(Waiting(proxy), 0, mayWait + acceptedAtOnce);
            }
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }

        await Wait.UntilAsync(() => Waiting(proxy) == 0, "the last to be gone");
    }

    private StreamProxyConfig Config(bool withCertificate)
    {
        _scene.Folder.Write("ca.pem", s_authority.RootPem);
        var config = _scene.Config(
            TestCertificates.Shared.Issue(TestKeyType.Rsa2048, ["a.example.com"]),
            tls => withCertificate ? tls with { ClientCertificates = new ClientCertificatesConfig { Mode = ClientCertificateMode.Require, TrustedCertificates = _scene.Folder["ca.pem"] } } : tls,
            _echo);
        return config with
        {
            EventLoops = 1,
            Listeners = new Dictionary<string, ListenerConfig>(config.Listeners) { ["plain"] = new() { Address = "127.0.0.1:0" } },
            Routes = new Dictionary<string, RouteConfig>
            {
                ["all"] = config.Routes["all"] with { Listeners = ["public"] },
                ["plain"] = new() { Listeners = ["plain"], ClusterId = "c" },
            },
        };
    }

    /// <summary>What its sessions must not be in the way of.</summary>
    private static async Task TalkAsync(ProxyEnvironment proxy, CancellationToken stop)
    {
        using var socket = await proxy.ConnectAsync("plain");
        while (!stop.IsCancellationRequested)
        {
            await socket.SendAllAsync("ping"u8.ToArray());
            Assert.Equal("ping"u8.ToArray(), await socket.ReceiveExactlyAsync(4));
            await Task.Delay(20, CancellationToken.None);
        }
    }

    private static async Task ShakeHandsAsync(ProxyEnvironment proxy, SslProtocols version, X509Certificate2? certificate)
    {
        await using var ssl = new SslStream(new NetworkStream(await proxy.ConnectAsync(), ownsSocket: true), false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "a.example.com",
            EnabledSslProtocols = version,
            ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate, [s_authority.Intermediate], offline: true),
        }).WaitAsync(Wait.Limit);
        var sent = Encoding.ASCII.GetBytes(Guid.NewGuid().ToString());
        await ssl.WriteAsync(sent);
        var received = new byte[sent.Length];
        await ssl.ReadExactlyAsync(received).AsTask().WaitAsync(Wait.Limit);
        Assert.Equal(sent, received);
    }

    /// <summary>Clients that say hello and are gone, by a reset, before or after their answer.</summary>
    private static async Task LeaveAsync(ProxyEnvironment proxy, byte[] hello, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var socket = await proxy.ConnectAsync();
                await socket.SendAllAsync(hello);
                await Task.Delay(Random.Shared.Next(5), CancellationToken.None);
                socket.LingerState = new LingerOption(true, 0);
            }
            catch (SocketException)
            {
                // The proxy has been stopped.
                return;
            }
        }
    }

    /// <summary>As .NET's own client says it.</summary>
    private static async Task<byte[]> RecordHelloAsync(SslProtocols version)
    {
        var recorded = new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var listener = new ScriptedUpstream(async socket =>
        {
            var buffer = new byte[16384];
            recorded.TrySetResult(buffer[..await socket.ReceiveAsync(buffer)]);
        });
        using var client = new TcpClient();
        await client.ConnectAsync(listener.EndPoint);
        await using var ssl = new SslStream(client.GetStream(), false, (_, _, _, _) => true);
        await Assert.ThrowsAnyAsync<Exception>(() => ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "a.example.com", EnabledSslProtocols = version }));
        return await recorded.Task.WaitAsync(Wait.Limit);
    }

    private static long Steps(ProxyEnvironment proxy, string thread)
        => Read(proxy, MetricFamily.LoopHandshakeSteps).Where(m => m.Tags.ToArray().Any(tag => tag.Value is string value && value == thread)).Sum(m => m.Value);

    private static long Waiting(ProxyEnvironment proxy) => Read(proxy, MetricFamily.LoopHandshakesWaiting).Sum(m => m.Value);

    private static System.Diagnostics.Metrics.Measurement<long>[] Read(ProxyEnvironment proxy, MetricFamily family)
        => [.. proxy.Services.GetRequiredService<StreamProxyMetrics>().FewReadings.Single(reading => reading.Family == family).Read()];
}
