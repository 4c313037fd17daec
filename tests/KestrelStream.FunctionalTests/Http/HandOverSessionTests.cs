using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Management;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.Http;

/// <summary>A session that was handed over is still one of the proxy's: its rules, clocks and ends hold, and reloads reach it.</summary>
public sealed class HandOverSessionTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("a.example.com", 200)]
    [InlineData("A.Example.com.", 200)]
    [InlineData("a.example.com:8443", 200)]
    [InlineData("other.example.com", 200)]
    [InlineData("admin.example.com", 421)]
    [InlineData("deep.passed.example.com", 421)]
    [InlineData("example.org", 421)]
    [InlineData("192.0.2.1", 421)]
    [InlineData("[2001:db8::1]:443", 421)]
    [InlineData("", 200)]
    public async Task HostOfAnotherRoute_IsMisdirected(string host, int status)
    {
        var config = HttpSite.Secure(EngineKind.Auto, TlsEngineKind.Auto, _folder);
        var site1 = config.Routes["site"];
        await using var site = await HttpSite.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig>(config.Routes)
            {
                ["admin"] = site1 with { Match = new RouteMatch { Sni = ["admin.example.com"] } },
                ["passed"] = new() { Action = RouteAction.Reject, Match = new RouteMatch { Sni = ["*.passed.example.com"] } },
            },
        });
        await using var client = await HandshakeAsync(site, "a.example.com");

        await client.WriteAsync(Encoding.ASCII.GetBytes($"GET /who HTTP/1.{(host.Length == 0 ? 0 : 1)}\r\n{(host.Length == 0 ? "" : $"Host: {host}\r\n")}Connection: close\r\n\r\n"));

        var answer = await new StreamReader(client).ReadToEndAsync().WaitAsync(Wait.Limit);
        Assert.StartsWith($"HTTP/1.1 {status} ", answer);
        Assert.Equal(status == 200, answer.Contains("https|", StringComparison.Ordinal));
    }

    /// <summary>The connection goes on: its other requests are for the right host.</summary>
    [Fact]
    public async Task MisdirectedRequest_OfHttp2_LeavesTheOthersAlone()
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(EngineKind.Auto, TlsEngineKind.Auto, _folder));
        var url = $"https://a.example.com:{site.EndPoint.Port}/who";
        string[] options = ["--insecure", "--http2", "--noproxy", "*", "--silent", "--show-error", "--write-out", "\n%{http_code}"];

        var result = await Curl.GetAsync("https://a.example.com/who", site.EndPoint, [.. options, "--header", "Host: example.org", url, "--next", .. options]);

        Assert.Contains("421https|HTTP/2|a.example.com|", result.Body);
        Assert.Equal(200, result.Status);
        Assert.Single(site.Sessions);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task ProxyHeader_AppSeesTheClient(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var config = HttpSite.Secure(engine, tlsEngine, _folder);
        await using var site = await HttpSite.StartAsync(config with
        {
            Listeners = new Dictionary<string, ListenerConfig>
            {
                ["public"] = config.Listeners["public"] with { ProxyProtocol = new ListenerProxyProtocolConfig { Mode = ProxyProtocolMode.Required, TrustedNetworks = ["127.0.0.0/8"] } },
            },
        });
        var socket = await site.ConnectAsync();
        await socket.SendAllAsync("PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n"u8.ToArray());
        await using var client = await HandshakeAsync(socket, "a.example.com");
        await client.WriteAsync("GET /who HTTP/1.0\r\n\r\n"u8.ToArray());

        Assert.Contains("|192.0.2.1:56324|", await new StreamReader(client).ReadToEndAsync().WaitAsync(Wait.Limit));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task ClientCertificate_IsTheApps(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var authority = new TestClientAuthority("Hand-over");
        _folder.Write("ca.pem", authority.RootPem + authority.IntermediatePem);
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, tlsEngine, _folder, route => route with
        {
            Tls = route.Tls! with { ClientCertificates = new ClientCertificatesConfig { Mode = ClientCertificateMode.Require, TrustedCertificates = _folder["ca.pem"] } },
        }));
        var certificate = authority.Issue("CN=someone");
        await using var client = new SslStream(new NetworkStream(await site.ConnectAsync(), ownsSocket: true), false, (_, _, _, _) => true);
        await client.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "a.example.com",
            ClientCertificateContext = SslStreamCertificateContext.Create(certificate.Leaf, [.. certificate.Intermediates], offline: true),
        }).WaitAsync(Wait.Limit);
        await client.WriteAsync("GET /who HTTP/1.0\r\n\r\n"u8.ToArray());

        Assert.Contains("|CN=someone|", await new StreamReader(client).ReadToEndAsync().WaitAsync(Wait.Limit));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Drain_RequestsAreAnsweredAndIdleConnectionsEnd(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, tlsEngine, _folder));
        using var http11 = site.CreateClient(HttpVersion.Version11);
        using var http2 = site.CreateClient(HttpVersion.Version20);
        using var idle = site.CreateClient(HttpVersion.Version11);
        await idle.GetStringAsync("https://a.example.com/who");
        var held = new[] { http11, http2, http2 }.Select(client => client.GetStringAsync("https://a.example.com/held")).ToArray();
        for (var i = 0; i < held.Length; i++)
        {
            Assert.True(await site.Held.WaitAsync(Wait.Limit));
        }

        var stop = site.App.StopAsync();
        await Wait.UntilAsync(() => site.Sessions.Count(session => session.Phase == SessionPhase.Closed) == 1, "the idle connection to end");
        Assert.False(stop.IsCompleted);
        site.Release.SetResult();

        Assert.All(await Task.WhenAll(held), answer => Assert.Equal("released", answer));
        await stop.WaitAsync(Wait.Limit);
        Assert.All(site.Sessions, session => Assert.Equal(SessionEndReason.Completed, session.EndReason));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Drain_BeyondItsTime_ResetsRequests(EngineKind engine)
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, TlsEngineKind.Auto, _folder) with { ShutdownTimeout = TimeSpan.FromMilliseconds(300) });
        using var client = site.CreateClient();
        var held = client.GetStringAsync("https://a.example.com/held");
        Assert.True(await site.Held.WaitAsync(Wait.Limit));

        var stop = site.App.StopAsync();

        await Assert.ThrowsAsync<HttpRequestException>(() => held);
        site.Release.SetResult();
        await stop.WaitAsync(Wait.Limit);
        Assert.Equal(SessionEndReason.DrainTimeout, site.Sessions.Single().EndReason);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task IdleTimeoutOfTheRoute_EndsAQuietRequest(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, tlsEngine, _folder, route => route with { IdleTimeout = TimeSpan.FromMilliseconds(300) }));
        using var client = site.CreateClient();

        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync("https://a.example.com/held"));

        Assert.Equal(SessionEndReason.IdleTimeout, (await site.EndedAsync()).EndReason);
        site.Release.SetResult();
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task CertificateSwap_NewConnectionsGetIt_RunningOnesGoOn(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var site = await HttpSite.StartAsync(HttpSite.Secure(engine, tlsEngine, _folder));
        using var running = site.CreateClient();
        await running.GetStringAsync("https://a.example.com/who");
        var next = TestCertificates.Shared.Issue("a.example.com");

        File.WriteAllText(_folder["a.key"], next.KeyPem);
        File.WriteAllText(_folder["a.pem"], next.ChainPem);

        var serial = next.Leaf.SerialNumber;
        for (var seen = ""; seen != serial;)
        {
            using var client = site.CreateClient(validate: (_, certificate, _, _) => (seen = ((X509Certificate2)certificate!).SerialNumber) is not null);
            await client.GetStringAsync("https://a.example.com/who").WaitAsync(Wait.Limit);
            await Task.Delay(100);
        }

        Assert.StartsWith("https|", await running.GetStringAsync("https://a.example.com/who"));
        Assert.Equal(SessionEndReason.None, site.Sessions.First().EndReason);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task RouteRemovedByReload_RunningConnectionGoesOn(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var config = HttpSite.Secure(engine, tlsEngine, _folder);
        await using var site = await HttpSite.StartAsync(config);
        using var client = site.CreateClient();
        await client.GetStringAsync("https://a.example.com/who");

        var reload = await site.ReloadAsync(config with { Routes = new Dictionary<string, RouteConfig> { ["none"] = new() { Action = RouteAction.Reject } } });

        Assert.True(reload.IsApplied);
        Assert.StartsWith("https|", await client.GetStringAsync("https://a.example.com/who"));
        using var other = site.CreateClient();
        await Assert.ThrowsAsync<HttpRequestException>(() => other.GetStringAsync("https://a.example.com/who"));
    }

    [Fact]
    public async Task LimitsOfTheAppsKestrel_Hold()
    {
        await using var site = await HttpSite.StartAsync(
            HttpSite.Secure(EngineKind.Auto, TlsEngineKind.Auto, _folder), builder => builder.Services.Configure<KestrelServerOptions>(o => o.Limits.MaxRequestBodySize = 1000));
        using var client = site.CreateClient();

        Assert.Equal(HttpStatusCode.OK, (await client.PostAsync("https://a.example.com/echo", new ByteArrayContent(new byte[1000]))).StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await client.PostAsync("https://a.example.com/echo", new ByteArrayContent(new byte[1001]))).StatusCode);
    }

    [Fact]
    public async Task AppWithoutPipelineForIt_IsAConfigError()
    {
        var config = HttpSite.Clear(EngineKind.Auto);

        var e = await Assert.ThrowsAsync<StreamProxyConfigException>(() => ProxyEnvironment.StartAsync(config));
        Assert.Equal("StreamProxy:Routes:site:Action", Assert.Single(e.Errors).Path);

        e = await Assert.ThrowsAsync<StreamProxyConfigException>(() => HttpSite.StartAsync(config, builder => builder.WebHost.UseKestrel()));
        Assert.Contains("behind ServeHttp()", Assert.Single(e.Errors).Message);
    }

    private static async Task<SslStream> HandshakeAsync(HttpSite site, string name) => await HandshakeAsync(await site.ConnectAsync(), name);

    private static async Task<SslStream> HandshakeAsync(Socket socket, string name)
    {
        var ssl = new SslStream(new NetworkStream(socket, ownsSocket: true), false, (_, _, _, _) => true);
        await ssl.AuthenticateAsClientAsync(name).WaitAsync(Wait.Limit);
        return ssl;
    }
}
