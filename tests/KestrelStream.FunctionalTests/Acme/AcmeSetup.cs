using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Acme.Issuing;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using KestrelStream.Tls;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelStream.FunctionalTests.Acme;

/// <summary>What tests against pebble share: its name server, the storage folder, the ports that it asks, and a proxy that is in a hurry.</summary>
internal sealed class AcmeSetup : IAsyncDisposable
{
    public const string Name = "www.example.com";

    /// <summary>As the real ones, in less time.</summary>
    public static readonly AcmeTimings Hurried = new()
    {
        FirstRetry = TimeSpan.FromMilliseconds(300),
        LongestRetry = TimeSpan.FromSeconds(1),
        FirstPoll = TimeSpan.FromMilliseconds(50),
        LongestPoll = TimeSpan.FromMilliseconds(200),
    };

    private readonly TempFolder _folder = new();

    private AcmeSetup(DnsmasqServer dns) => Dns = dns;

    public DnsmasqServer Dns { get; }

    public PebbleServer Pebble { get; private set; } = null!;

    public string Storage => _folder["acme"];

    public string StoredCertificate => _folder["acme", "www.pem"];

    public string StoredOrder => _folder["acme", "www.order"];

    public int TlsPort { get; } = LoopbackPort.Take();

    public int HttpPort { get; } = LoopbackPort.Take();

    /// <param name="options">Of pebble; ports and name server are filled in.</param>
    /// <param name="isKnown">Whether the name has an address from the beginning.</param>
    public static async Task<AcmeSetup> StartAsync(Func<PebbleOptions, PebbleOptions>? options = null, bool isKnown = true)
    {
        var setup = new AcmeSetup(await DnsmasqServer.StartAsync(isKnown ? [$"127.0.0.1 {Name} example.com"] : ["127.0.0.1 other.example.com"]));
        try
        {
            setup.Pebble = await PebbleServer.StartAsync((options ?? (o => o))(new PebbleOptions { Dns = setup.Dns.EndPoint, TlsPort = setup.TlsPort, HttpPort = setup.HttpPort }));
            return setup;
        }
        catch
        {
            await setup.DisposeAsync();
            throw;
        }
    }

    public AcmeConfig Acme => new()
    {
        Directory = Pebble.Directory,
        Email = "ops@example.com",
        Names = [Name, "example.com"],
        Storage = Storage,
        TrustedCertificates = Pebble.RootPath,
    };

    /// <summary>A listener where pebble asks, and a route that ends TLS with a certificate by ACME.</summary>
    public static StreamProxyConfig Config(int port, IPEndPoint upstream, AcmeConfig acme, EngineKind engine = EngineKind.Auto, TlsEngineKind tlsEngine = TlsEngineKind.Auto)
        => ProxyEnvironment.OneRoute(engine, upstream, route => route with { Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["www"] } }) with
        {
            Tls = new TlsConfig { Engine = tlsEngine },
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = $"127.0.0.1:{port}" } },
            Certificates = new Dictionary<string, CertificateConfig> { ["www"] = new() { Acme = acme } },
        };

    public Task<ProxyEnvironment> StartProxyAsync(IPEndPoint upstream, Func<StreamProxyConfig, StreamProxyConfig>? config = null)
        => StartAsync((config ?? (c => c))(Config(TlsPort, upstream, Acme)));

    public static Task<ProxyEnvironment> StartAsync(StreamProxyConfig config)
        => ProxyEnvironment.StartAsync(config, services => services.AddSingleton(Hurried), proxy => proxy.AddAcme());

    public static CertificateIssuance Issuance(ProxyEnvironment proxy) => proxy.Services.GetRequiredService<IProxyState>().Issuances.Single();

    /// <summary>The certificate that clients get once it is pebble's.</summary>
    public static async Task<X509Certificate2> WaitForCertificateAsync(ProxyEnvironment proxy, Func<X509Certificate2, bool>? isIt = null)
    {
        var store = proxy.Services.GetRequiredService<CertificateStore>();
        await Wait.UntilAsync(
            () => store.States["www"].Entries is [var entry] && (isIt ?? (_ => true))(entry.CreatePublicLeaf()),
            $"the certificate; what was logged:\n{string.Join('\n', proxy.Log.Events.Select(e => e.Message).TakeLast(20))}");
        return await GetCertificateAsync(proxy, Name);
    }

    public static async Task<X509Certificate2> GetCertificateAsync(ProxyEnvironment proxy, string name, params SslApplicationProtocol[] alpn)
    {
        await using var ssl = await HandshakeAsync(await proxy.ConnectAsync(), name, alpn);
        return X509CertificateLoader.LoadCertificate(ssl.RemoteCertificate!.GetRawCertData());
    }

    /// <exception cref="AuthenticationException">The proxy has sent an alert.</exception>
    public static async Task<SslStream> HandshakeAsync(Socket socket, string name, params SslApplicationProtocol[] alpn)
    {
        var ssl = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, _, _, _) => true);
        try
        {
            await ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = name, ApplicationProtocols = [.. alpn] }).WaitAsync(Wait.Limit);
            return ssl;
        }
        catch
        {
            await ssl.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Pebble is not null)
        {
            await Pebble.DisposeAsync();
        }

        await Dns.DisposeAsync();
        _folder.Dispose();
    }
}
