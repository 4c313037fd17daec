using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.TestKit;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>Hellos with encrypted_client_hello: the name in the clear routes, and nothing else changes.</summary>
public sealed class EncryptedHelloTests : IDisposable
{
    private const byte HandshakeRecord = 22;
    private const byte ServerHello = 2;

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Passthrough_OuterName_RoutesAndEveryByteArrives(EngineKind engine)
    {
        await using var named = ScriptedUpstream.Echo();
        await using var other = ScriptedUpstream.Echo();
        var config = ProxyEnvironment.OneRoute(engine, other.EndPoint);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig>(config.Routes) { ["named"] = new() { Match = new RouteMatch { Sni = ["public.example.com"] }, ClusterId = "named" } },
            Clusters = new Dictionary<string, ClusterConfig>(config.Clusters)
            {
                ["named"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = named.EndPoint.ToString() } } },
            },
        });

        // What a browser sends as GREASE; the same cut off; and the inner hello that a front in split mode passes on.
        foreach (var extension in new byte[][] { [0, .. Enumerable.Repeat((byte)0x5a, 185)], [], [1] })
        {
            var hello = new ClientHelloBuilder().WithServerName("public.example.com").WithVersions(0x0304).WithExtension(ClientHelloBuilder.EchExtension, extension).Build();
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync(hello);
            Assert.Equal(hello, await client.ReceiveExactlyAsync(hello.Length));
        }

        Assert.Equal((3, 0), (named.Count, other.Count));
        Assert.Equal([("inner", 1L), ("outer", 2L)], Counted(proxy));
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Terminate_Grease_IsAnsweredAsAnyHello(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var upstream = ScriptedUpstream.Echo();
        var (path, key) = TestCertificates.Shared.Issue("a.example.com").WritePem(_folder, "a.pem", "a.key");
        await using var proxy = await ProxyEnvironment.StartAsync(
            ProxyEnvironment.OneRoute(engine, upstream.EndPoint, route => route with { Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["a"] } }) with
            {
                Tls = new TlsConfig { Engine = tlsEngine },
                Certificates = new Dictionary<string, CertificateConfig> { ["a"] = new() { Path = path, KeyPath = key } },
            });
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync(ClientHelloBuilder.Browser("a.example.com").Build());

        var answer = await client.ReceiveExactlyAsync(6);
        Assert.Equal((HandshakeRecord, ServerHello), (answer[0], answer[5]));
        Assert.Equal([("inner", 0L), ("outer", 1L)], Counted(proxy));
    }

    private static IEnumerable<(string, long)> Counted(ProxyEnvironment proxy)
        => proxy.Services.GetRequiredService<StreamProxyMetrics>().Readings.Single(reading => reading.Family == MetricFamily.EchHellos).Read()
            .Select(sample => ((string)sample.Tags.ToArray().Single(tag => tag.Key == "type").Value!, sample.Value));
}
