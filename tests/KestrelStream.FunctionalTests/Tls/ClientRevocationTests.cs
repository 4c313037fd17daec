using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>What a real OCSP responder says of clients' certificates, or does not say, on every engine.</summary>
public sealed class ClientRevocationTests : IDisposable
{
    private const string Greeting = "hello from the destination";

    private static readonly TestClientAuthority s_authority = new("Clients");

    private readonly TempFolder _folder = new();
    private readonly ScriptedUpstream _upstream = new(async socket =>
    {
        await socket.SendAllAsync(Encoding.ASCII.GetBytes(Greeting));
        socket.Shutdown(SocketShutdown.Send);
        await socket.ReceiveToEndAsync();
    });

    public static TheoryData<EngineKind, TlsEngineKind, ClientOcspMode> EnginesAndModes
    {
        get
        {
            var all = new TheoryData<EngineKind, TlsEngineKind, ClientOcspMode>();
            foreach (var row in Engines.AllTls)
            {
                all.Add((EngineKind)row[0], (TlsEngineKind)row[1], ClientOcspMode.Soft);
                all.Add((EngineKind)row[0], (TlsEngineKind)row[1], ClientOcspMode.Hard);
            }

            return all;
        }
    }

    public void Dispose()
    {
        _upstream.DisposeAsync().AsTask().Wait(Wait.Limit);
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(EnginesAndModes))]
    public async Task Responder_Answers_RevokedIsRefused_UnknownOnlyWithHard(EngineKind engine, TlsEngineKind tlsEngine, ClientOcspMode mode)
    {
        var (good, revoked, unknown) = (s_authority.Issue("CN=good"), s_authority.Issue("CN=revoked"), s_authority.Issue("CN=unknown"));
        await using var responder = await OcspResponder.StartAsync(s_authority, [good], [revoked]);
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, mode, c => c with { OcspResponder = responder.Url }));

        await TakesAsync(proxy, good);
        await RefusesAsync(proxy, revoked, "it is revoked");
        if (mode == ClientOcspMode.Hard)
        {
            await RefusesAsync(proxy, unknown, "the responder does not know it");
        }
        else
        {
            await TakesAsync(proxy, unknown);
        }

        // Answers are remembered: nobody needs the responder for these.
        await responder.DisposeAsync();
        await TakesAsync(proxy, good);
        await RefusesAsync(proxy, revoked, "it is revoked");
        Assert.Equal((2, 2, 1, 0), (Count(proxy, "good"), Count(proxy, "revoked"), Count(proxy, "unknown"), Count(proxy, "failed")));
    }

    [Theory]
    [MemberData(nameof(EnginesAndModes))]
    public async Task Responder_IsDown_OnlySoftTakesTheClient(EngineKind engine, TlsEngineKind tlsEngine, ClientOcspMode mode)
    {
        var client = s_authority.Issue("CN=client", responder: $"http://127.0.0.1:{LoopbackPort.Take()}/");
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, mode));

        await (mode == ClientOcspMode.Hard ? RefusesAsync(proxy, client, "there is no OCSP answer: ") : TakesAsync(proxy, client));
        await (mode == ClientOcspMode.Hard ? RefusesAsync(proxy, s_authority.Issue("CN=none"), "it names no responder") : TakesAsync(proxy, s_authority.Issue("CN=none")));
        Assert.Equal(2, Count(proxy, "failed"));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Responder_OfTheCertificate_IsAsked_AndClientsWithoutOneAreNot(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var requests = 0;
        await using var answers = new ScriptedUpstream(async socket =>
        {
            Interlocked.Increment(ref requests);
            _ = await socket.ReceiveAsync(new byte[4096]);
            await socket.SendAllAsync("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope"u8.ToArray());
            socket.Shutdown(SocketShutdown.Send);
        });
        var client = s_authority.Issue("CN=client", responder: $"http://{answers.EndPoint}/");
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, ClientOcspMode.Hard, c => c with { Mode = ClientCertificateMode.Allow }));

        Assert.Equal(Greeting, await ConnectAsync(proxy, null));
        await RefusesAsync(proxy, client, "it is no OCSP response in DER");
        Assert.Equal(1, requests);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Responder_IsSilent_HoldsThatSessionAlone_AndNotForLong(EngineKind engine, TlsEngineKind tlsEngine)
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var config = Config(
            engine, tlsEngine, ClientOcspMode.Hard, c => c with { Mode = ClientCertificateMode.Allow, OcspResponder = $"http://{silent.LocalEndpoint}/", OcspTimeout = TimeSpan.FromSeconds(2) });
        await using var proxy = await ProxyEnvironment.StartAsync(config with { EventLoops = 1 });
        var held = ConnectAsync(proxy, s_authority.Issue("CN=held"));
        using var question = await silent.AcceptSocketAsync().WaitAsync(Wait.Limit);

        Assert.Equal(Greeting, await ConnectAsync(proxy, null));
        Assert.False(held.IsCompleted);
        Assert.Equal("", await held);
        await Wait.UntilAsync(() => proxy.Log.Events.Any(e => e.Message.Contains("the responder has not answered in time", StringComparison.Ordinal)), "the log");
        Assert.Equal(1, _upstream.Count);
    }

    [Fact]
    public async Task Sessions_AreNotResumed()
    {
        var client = s_authority.Issue("CN=client");
        await using var responder = await OcspResponder.StartAsync(s_authority, [client]);
        await using var proxy = await ProxyEnvironment.StartAsync(
            Config(EngineKind.EventLoop, TlsEngineKind.OpenSsl, ClientOcspMode.Hard, c => c with { OcspResponder = responder.Url }));
        foreach (var version in new[] { "-tls1_2", "-tls1_3" })
        {
            var result = await ChildProcess.RunAsync(
                PeerProgram.Find("openssl", "openssl"),
                [
                    "s_client", "-connect", proxy.EndPoint().ToString(), "-servername", "a.example.com", version, "-reconnect",
                    "-cert", _folder.Write("client.pem", client.LeafPem), "-key", _folder.Write("client.key", client.KeyPem), "-cert_chain", _folder.Write("chain.pem", s_authority.IntermediatePem),
                ]);

            Assert.Contains("New, TLSv1", result.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("Reused", result.Output, StringComparison.Ordinal);
        }
    }

    private static int Count(ProxyEnvironment proxy, string result)
    {
        var text = new System.Buffers.ArrayBufferWriter<byte>();
        PrometheusText.Write(proxy.Services.GetRequiredService<StreamProxyMetrics>(), process: null, text);
        var line = $"kestrelstream_client_ocsp_sessions_total{{route=\"all\",result=\"{result}\"}} ";
        var all = Encoding.UTF8.GetString(text.WrittenSpan);
        return int.Parse(all[(all.IndexOf(line, StringComparison.Ordinal) + line.Length)..].Split('\n')[0], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static async Task TakesAsync(ProxyEnvironment proxy, TestCertificate client)
    {
        Assert.Equal(Greeting, await ConnectAsync(proxy, client));
        Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync(proxy.Sessions.Count - 1));
    }

    private async Task RefusesAsync(ProxyEnvironment proxy, TestCertificate client, string reason)
    {
        var (connections, logged) = (_upstream.Count, proxy.Log.Events.Count);
        Assert.Equal("", await ConnectAsync(proxy, client));
        Assert.Equal(SessionEndReason.ClientTlsFailed, await proxy.EndReasonAsync(proxy.Sessions.Count - 1));
        Assert.Equal(connections, _upstream.Count);
        Assert.Contains(proxy.Log.Events.Skip(logged), e => e.Message.Contains("is refused", StringComparison.Ordinal) && e.Message.Contains(reason, StringComparison.Ordinal));
    }

    /// <summary>What the destination has said; the client speaks first, as if it were welcome.</summary>
    private static async Task<string> ConnectAsync(ProxyEnvironment proxy, TestCertificate? client)
    {
        await using var ssl = new SslStream(new NetworkStream(await proxy.ConnectAsync(), ownsSocket: true), false, (_, _, _, _) => true);
        try
        {
            await ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
            {
                TargetHost = "a.example.com",
                AllowTlsResume = false,
                ClientCertificateContext = client is null ? null : SslStreamCertificateContext.Create(client.Leaf, [s_authority.Intermediate], offline: true),
            }).WaitAsync(Wait.Limit);
            await ssl.WriteAsync("GET"u8.ToArray());
            using var text = new StreamReader(ssl, leaveOpen: true);
            var answer = await text.ReadToEndAsync().WaitAsync(Wait.Limit);
            await ssl.ShutdownAsync();
            return answer;
        }
        catch (IOException)
        {
            return "";
        }
    }

    private StreamProxyConfig Config(EngineKind engine, TlsEngineKind tlsEngine, ClientOcspMode ocsp, Func<ClientCertificatesConfig, ClientCertificatesConfig>? clients = null)
    {
        _folder.Write("ca.pem", s_authority.RootPem);
        var (path, key) = TestCertificates.Shared.Issue("*.example.com").WritePem(_folder, "server.pem", "server.key");
        var config = new ClientCertificatesConfig { Mode = ClientCertificateMode.Require, TrustedCertificates = _folder["ca.pem"], Ocsp = ocsp };
        return ProxyEnvironment.OneRoute(engine, _upstream.EndPoint, r => r with
        {
            Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["a"], ClientCertificates = (clients ?? (c => c))(config) },
        }) with
        {
            Tls = new TlsConfig { Engine = tlsEngine },
            Certificates = new Dictionary<string, CertificateConfig> { ["a"] = new() { Path = path, KeyPath = key } },
        };
    }
}
