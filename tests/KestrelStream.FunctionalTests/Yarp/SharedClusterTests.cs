using System.Net;
using System.Net.Sockets;
using System.Text;
using KestrelStream.Configuration;
using KestrelStream.FunctionalTests.Http;
using KestrelStream.Management;
using KestrelStream.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.Yarp;

/// <summary>An app with both proxies: clusters of YARP's section in routes of ours, and sites that YARP routes by URL.</summary>
public sealed class SharedClusterTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task HealthAsYarpFindsIt_DecidesWhoGetsSessions(EngineKind engine)
    {
        await using var one = ScriptedUpstream.Named("one", IPAddress.Loopback, 0);
        var two = ScriptedUpstream.Named("two", IPAddress.Loopback, 0);
        var (address, port) = (two.EndPoint.Address, two.EndPoint.Port);
        await using var app = await YarpSite.StartAsync(Streams(engine), new()
        {
            ["Clusters:c:LoadBalancingPolicy"] = "RoundRobin",
            ["Clusters:c:HealthCheck:Active:Enabled"] = "true",
            ["Clusters:c:HealthCheck:Active:Interval"] = "00:00:00.100",
            ["Clusters:c:HealthCheck:Active:Timeout"] = "00:00:05",
            ["Clusters:c:Metadata:ConsecutiveFailuresHealthPolicy.Threshold"] = "1",
            ["Clusters:c:Destinations:one:Address"] = $"tcp://{one.EndPoint}",
            ["Clusters:c:Destinations:two:Address"] = $"tcp://{two.EndPoint}",
        });
        await WaitForAnswersAsync(app, "one", "two");

        // Nobody asks by a session: only YARP's check can find it out.
        await two.DisposeAsync();
        await WaitForHealthAsync(app, "two", isUp: false);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal("one", await AskAsync(app));
        }

        await using var again = ScriptedUpstream.Named("two", address, port);
        await WaitForAnswersAsync(app, "one", "two");
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task YarpsConfigurationChanges_IsFollowed(EngineKind engine)
    {
        await using var one = ScriptedUpstream.Named("one", IPAddress.Loopback, 0);
        await using var two = ScriptedUpstream.Named("two", IPAddress.Loopback, 0);
        await using var app = await YarpSite.StartAsync(Streams(engine), new() { ["Clusters:c:Destinations:x:Address"] = $"tcp://{one.EndPoint}" });
        Assert.Equal("one", await AskAsync(app));

        app.SetYarp(new() { ["Clusters:c:Destinations:x:Address"] = $"tcp://{two.EndPoint}" });

        await WaitForAnswersAsync(app, "two");
        Assert.Equal("two", await AskAsync(app));
    }

    [Fact]
    public async Task AddressThatNoSessionCanGoTo_IsAnErrorWithItsPath()
    {
        var e = await Assert.ThrowsAsync<StreamProxyConfigException>(
            () => YarpSite.StartAsync(Streams(EngineKind.Auto), new() { ["Clusters:c:Destinations:x:Address"] = "ftp://127.0.0.1/" }));

        Assert.Contains(e.Errors, error => error.Path == "ReverseProxy:Clusters:c:Destinations:x:Address");
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task TerminatedRoute_IsRoutedByUrl_AndTheSameClusterByName(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var one = await HttpBackend.StartAsync("one");
        await using var two = await HttpBackend.StartAsync("two");
        var config = HttpSite.Secure(engine, tlsEngine, _folder);
        await using var app = await YarpSite.StartAsync(
            config with
            {
                Routes = new Dictionary<string, RouteConfig>(config.Routes)
                {
                    // What is not TLS: the cluster behind /two, without YARP.
                    ["clear"] = new() { ClusterId = "two" },
                },
            },
            new()
            {
                ["Routes:one:ClusterId"] = "one",
                ["Routes:one:Match:Path"] = "/one/{**rest}",
                ["Routes:two:ClusterId"] = "two",
                ["Routes:two:Match:Path"] = "/two/{**rest}",
                ["Clusters:one:Destinations:x:Address"] = one.Url,
                ["Clusters:two:Destinations:x:Address"] = two.Url,
            });
        using var client = app.CreateClient();

        Assert.Equal("one /one/a 127.0.0.1", await client.GetStringAsync("https://a.example.com/one/a"));
        Assert.Equal("two /two/b 127.0.0.1", await client.GetStringAsync("https://a.example.com/two/b"));
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync("https://a.example.com/three")).StatusCode);
        Assert.Equal("two /c ", await client.GetStringAsync("http://a.example.com/c"));
    }

    private static StreamProxyConfig Streams(EngineKind engine) => new()
    {
        Engine = engine,
        ShutdownTimeout = TimeSpan.FromSeconds(5),
        Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:0" } },
        Routes = new Dictionary<string, RouteConfig> { ["all"] = new() { ClusterId = "c" } },
    };

    private static async Task WaitForAnswersAsync(YarpSite app, params string[] names)
    {
        var seen = new HashSet<string>();
        var until = Environment.TickCount64 + (long)Wait.Limit.TotalMilliseconds;
        while (!names.All(seen.Contains))
        {
            Assert.True(Environment.TickCount64 < until, $"Only {string.Join(", ", seen)} answered.");
            seen.Add(await AskAsync(app));
            await Task.Delay(10);
        }
    }

    private static Task WaitForHealthAsync(YarpSite app, string destination, bool isUp)
        => Wait.UntilAsync(() => app.Destination("c", destination).IsUpByChecks == isUp, $"{destination} to be {(isUp ? "up" : "down")}");

    private static async Task<string> AskAsync(YarpSite app)
    {
        using var socket = await app.ConnectAsync();
        socket.Shutdown(SocketShutdown.Send);
        return Encoding.ASCII.GetString(await socket.ReceiveToEndAsync());
    }
}
