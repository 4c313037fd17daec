using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>Clients that break the rules, leave, or are told to leave, on a loop that serves others.</summary>
public sealed class OpenSslHostileTests : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(100);

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task MutatedBytes_EndOnlyTheirOwnSession(int seed)
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Config(upstream) with { EventLoops = 1 });
        await using var healthy = await HandshakeAsync(proxy);
        var random = new Random(seed);

        for (var i = 0; i < 80; i++)
        {
            using var socket = await proxy.ConnectAsync();
            var stream = new MutatingStream(new NetworkStream(socket), random, from: random.Next(0, 6));
            using var ssl = new SslStream(stream, false, (_, _, _, _) => true);
            try
            {
                await ssl.AuthenticateAsClientAsync("a.example.com").WaitAsync(s_patience);
                await ssl.WriteAsync(new byte[random.Next(1, 40_000)]);
                await ssl.WriteAsync(new byte[10]);
                await ssl.ReadAsync(new byte[10]).AsTask().WaitAsync(s_patience);
            }
            catch (Exception e) when (e is IOException or AuthenticationException or TimeoutException)
            {
                // As it should be in most cases; where a record was cut, both wait for the other.
            }

            if (i % 3 == 0)
            {
                socket.Reset();
            }
        }

        await healthy.WriteAsync(new byte[] { 42 });
        Assert.Equal(42, healthy.ReadByte());
        await Wait.UntilAsync(() => proxy.Sessions.Count(session => session.EndReason == SessionEndReason.None) == 1, "the others to end");
        Assert.DoesNotContain(proxy.Sessions, session => session.EndReason == SessionEndReason.InternalError);
    }

    [Fact]
    public async Task ClientsThatLeaveInTheMiddle_LeaveNothingBehind()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Config(upstream));

        await Parallel.ForAsync(0, 200, async (i, _) =>
        {
            var hello = ClientHelloBuilder.Browser("a.example.com").Build();
            using var socket = await proxy.ConnectAsync();
            await socket.SendAllAsync(hello.AsMemory(0, i % 4 == 0 ? hello.Length / 2 : hello.Length));
            if (i % 2 == 0)
            {
                socket.Reset();
            }
        });

        await Wait.UntilAsync(() => proxy.Sessions.All(session => session.EndReason != SessionEndReason.None), "all to end");
        Assert.DoesNotContain(proxy.Sessions, session => session.EndReason == SessionEndReason.InternalError);
    }

    [Fact]
    public async Task IdleTimeout_SaysCloseNotify()
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = Config(upstream);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig> { ["all"] = config.Routes["all"] with { IdleTimeout = TimeSpan.FromMilliseconds(300) } },
        });

        await using var client = OpenSslClient.Connect(proxy.EndPoint(), "a.example.com");
        var result = await client.WaitForResultAsync(Wait.Limit);

        Assert.DoesNotContain("unexpected eof", result.Output + result.Error, StringComparison.Ordinal);
        Assert.Equal(SessionEndReason.IdleTimeout, await proxy.EndReasonAsync());
    }

    [Fact]
    public async Task Drain_ResetsWhatIsLeft_InHandshakeAndRelay()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Config(upstream) with { ShutdownTimeout = TimeSpan.Zero });
        await using var relayed = await HandshakeAsync(proxy);
        await relayed.WriteAsync(new byte[] { 1 });
        Assert.Equal(1, relayed.ReadByte());
        using var inHandshake = await proxy.ConnectAsync();
        await inHandshake.SendAllAsync(ClientHelloBuilder.Browser("a.example.com").Build());
        await inHandshake.ReceiveExactlyAsync(1);

        await proxy.StopAsync().WaitAsync(Wait.Limit);

        Assert.True(await inHandshake.EndsWithResetAsync());
        Assert.All(proxy.Sessions, session => Assert.Equal(SessionEndReason.DrainTimeout, session.EndReason));
    }

    private static async Task<SslStream> HandshakeAsync(ProxyEnvironment proxy)
    {
        var ssl = new SslStream(new NetworkStream(await proxy.ConnectAsync(), ownsSocket: true), false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync("a.example.com").WaitAsync(Wait.Limit);
        return ssl;
    }

    private StreamProxyConfig Config(ScriptedUpstream upstream)
    {
        var (path, key) = TestCertificates.Shared.Issue("a.example.com").WritePem(_folder);
        return ProxyEnvironment.OneRoute(EngineKind.EventLoop, upstream.EndPoint, r => r with
        {
            Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["a"] },
        }) with
        {
            Tls = new TlsConfig { Engine = TlsEngineKind.OpenSsl },
            Certificates = new Dictionary<string, CertificateConfig> { ["a"] = new() { Path = path, KeyPath = key } },
        };
    }

    /// <summary>Changes, drops or doubles a piece of some writes, from the nth on.</summary>
    private sealed class MutatingStream(Stream inner, Random random, int from) : Stream
    {
        private int _writes;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var bytes = buffer.ToArray();
            if (_writes++ >= from && bytes.Length > 0)
            {
                var at = random.Next(bytes.Length);
                bytes = random.Next(4) switch
                {
                    0 => bytes[..at],
                    1 => [.. bytes, .. bytes[at..]],
                    2 => [.. bytes[..at], .. new byte[random.Next(1, 64)], .. bytes[at..]],
                    _ => bytes,
                };
                if (bytes.Length > 0)
                {
                    bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
                }
            }

            await inner.WriteAsync(bytes, cancellationToken);
            if (_writes > from + 3)
            {
                // Nobody waits for the rest of a record that will not come.
                inner.Close();
            }
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => inner.ReadAsync(buffer, offset, count, cancellationToken);

        public override void Flush() => inner.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
