using System.Net.Security;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.Tls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>Which library ends TLS, and what happens when the one that is wanted is not there.</summary>
public sealed class TlsEngineTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Auto_OnTheEventLoop_TakesOpenSsl_AndSaysItsVersion()
    {
        await using var upstream = ScriptedUpstream.Echo();
        await using var proxy = await ProxyEnvironment.StartAsync(Config(EngineKind.EventLoop, TlsEngineKind.Auto, upstream));

        Assert.Contains(proxy.Log.Events, e => e.Message.StartsWith("TLS ends in OpenSSL 3.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("libssl-that-is-not-there.so.3", "cannot be loaded")]
    [InlineData("libc.so.6", "is not that of OpenSSL 3")]
    public async Task Auto_WithoutAUsableLibrary_WarnsOnceAndTakesSslStream(string library, string reason)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = Config(EngineKind.EventLoop, TlsEngineKind.Auto, upstream);
        await using var proxy = await ProxyEnvironment.StartAsync(config, services => Override(services, library));
        Assert.True((await proxy.ReloadAsync(config with { ShutdownTimeout = TimeSpan.FromSeconds(3) })).IsApplied);

        await using var ssl = new SslStream(new NetworkStream(await proxy.ConnectAsync(), ownsSocket: true), false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync("a.example.com").WaitAsync(Wait.Limit);
        await ssl.WriteAsync(new byte[] { 7 });

        Assert.Equal(7, ssl.ReadByte());
        var warning = Assert.Single(proxy.Log.Events, e => e.Message.Contains("SslStream ends TLS", StringComparison.Ordinal));
        Assert.Contains(reason, warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task OpenSsl_WithoutAUsableLibrary_CannotStart()
    {
        await using var upstream = ScriptedUpstream.Echo();

        var error = await Assert.ThrowsAsync<PlatformNotSupportedException>(() => ProxyEnvironment.StartAsync(
            Config(EngineKind.EventLoop, TlsEngineKind.OpenSsl, upstream), services => Override(services, "libssl-that-is-not-there.so.3")));

        Assert.Contains("StreamProxy:Tls:Engine: OpenSsl cannot be used here: libssl-that-is-not-there.so.3 cannot be loaded", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ClientOrderOfCiphers_WithSslStream_IsAConfigError()
    {
        await using var upstream = ScriptedUpstream.Echo();
        var config = Config(EngineKind.EventLoop, TlsEngineKind.SslStream, upstream, tls => tls with { PreferServerCiphers = false });

        var error = await Assert.ThrowsAsync<KestrelStream.Management.StreamProxyConfigException>(() => ProxyEnvironment.StartAsync(config));

        Assert.Equal("StreamProxy:Routes:all:Tls:PreferServerCiphers", Assert.Single(error.Errors).Path);
    }

    private static void Override(IServiceCollection services, string library)
        => services.AddSingleton(provider => new TlsEngineSelector(provider.GetRequiredService<ILogger<TlsEngineSelector>>(), library));

    private StreamProxyConfig Config(EngineKind engine, TlsEngineKind tlsEngine, ScriptedUpstream upstream, Func<RouteTlsConfig, RouteTlsConfig>? tls = null)
    {
        var (path, key) = TestCertificates.Shared.Issue("a.example.com").WritePem(_folder);
        return ProxyEnvironment.OneRoute(engine, upstream.EndPoint, r => r with
        {
            Tls = (tls ?? (t => t))(new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["a"] }),
        }) with
        {
            Tls = new TlsConfig { Engine = tlsEngine },
            Certificates = new Dictionary<string, CertificateConfig> { ["a"] = new() { Path = path, KeyPath = key } },
        };
    }
}
