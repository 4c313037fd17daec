using System.Diagnostics;
using System.Net;
using System.Text.Json;
using KestrelStream.Tests.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.Tests.Admin;

public sealed class SessionListTests
{
    [Theory]
    [InlineData("", "1 2 3 4")]
    [InlineData("listener=OTHER", "4")]
    [InlineData("route=app1", "2 3")]
    [InlineData("client=203.0.113.9", "1 2")]
    [InlineData("client=203.0.113.77/24", "1 2 3")]
    [InlineData("client=::ffff:198.51.100.1", "4")]
    [InlineData("client=2001:db8::/32", "")]
    [InlineData("sni=App1.example.com.", "2")]
    [InlineData("sni=*.example.com", "2 3")]
    [InlineData("q=APP2", "3")]
    [InlineData("q=198.51", "4")]
    [InlineData("sort=-bytes", "3 2 4 1")]
    [InlineData("sort=bytes_in", "1 4 2 3")]
    [InlineData("sort=-id", "4 3 2 1")]
    [InlineData("sort=client", "4 3 1 2")]
    [InlineData("limit=2&offset=1", "2 3")]
    [InlineData("limit=0", "")]
    [InlineData("offset=9", "")]
    [InlineData("q=example&sort=-bytes&limit=1", "3")]
    public async Task Sessions_Asked_AreThoseInThatOrder(string query, string ids)
    {
        using var proxy = Four();
        await using var host = await AdminHost.StartAsync(proxy);
        using var json = JsonDocument.Parse(await host.GetAsync("/api/sessions?" + query));
        Assert.Equal(ids, string.Join(' ', json.RootElement.EnumerateArray().Select(session => session.GetProperty("id").GetString())));
    }

    [Theory]
    [InlineData("", 4)]
    [InlineData("limit=1", 4)]
    [InlineData("route=app1&limit=1&offset=5", 2)]
    public async Task Sessions_Page_TellsHowManyThereAre(string query, int total)
    {
        using var proxy = Four();
        await using var host = await AdminHost.StartAsync(proxy);
        using var response = await host.Client.GetAsync("/api/sessions?" + query);
        Assert.Equal(total.ToString(), response.Headers.GetValues("X-Total-Count").Single());
    }

    [Theory]
    [InlineData("none=1")]
    [InlineData("sort=size")]
    [InlineData("limit=-1")]
    [InlineData("limit=10001")]
    [InlineData("limit=many")]
    [InlineData("offset=1.5")]
    [InlineData("client=somebody")]
    [InlineData("client=10.0.0.0/33")]
    [InlineData("route=")]
    [InlineData("route=a&route=b")]
    public async Task Sessions_BadQuery_IsAProblem(string query)
    {
        using var proxy = Four();
        await using var host = await AdminHost.StartAsync(proxy);
        await host.GetAsync("/api/sessions?" + query, HttpStatusCode.BadRequest, "application/problem+json");
    }

    [Fact]
    public async Task Sessions_LookedAtTwice_HaveTheirRates()
    {
        using var proxy = new TestProxy();
        var session = proxy.Start();
        await using var host = await AdminHost.StartAsync(proxy, configure: services => services.AddSingleton<TimeProvider>(proxy.Time));
        Assert.Contains("\"bytes_in_per_second\":null", await host.GetAsync("/api/sessions"), StringComparison.Ordinal);
        (session.BytesIn, session.BytesOut) = (3000, 500);
        proxy.Time.Advance(TimeSpan.FromSeconds(1));
        var answer = await host.GetAsync("/api/sessions/1");
        Assert.Contains("\"bytes_in_per_second\":3000,\"bytes_out_per_second\":500}", answer, StringComparison.Ordinal);

        // Who has not been asked about for a while is not looked at any more.
        proxy.Time.Advance(TimeSpan.FromSeconds(20));
        Assert.Contains("\"bytes_in_per_second\":null", await host.GetAsync("/api/sessions/1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sessions_TenThousand_AreSortedAndPagedInNoTime()
    {
        using var proxy = new TestProxy();
        for (var i = 0; i < 10_000; i++)
        {
            var session = proxy.Start(client: $"10.0.{i >> 8}.{i & 255}:50000");
            session.ServerName = $"host{i % 977}.example.com";
            session.BytesIn = i * 7919L % 10_007;
        }

        await using var host = await AdminHost.StartAsync(proxy);
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < 5; i++)
        {
            var started = Stopwatch.GetTimestamp();
            using var json = JsonDocument.Parse(await host.GetAsync("/api/sessions?sort=-bytes_in&limit=100&q=example"));
            best = TimeSpan.FromTicks(Math.Min(best.Ticks, Stopwatch.GetElapsedTime(started).Ticks));
            Assert.Equal(100, json.RootElement.GetArrayLength());
            Assert.Equal(10_006, json.RootElement[0].GetProperty("bytes_in").GetInt64());
        }

        // It takes a few milliseconds; this much only says that nobody has made it quadratic.
        Assert.True(best < TimeSpan.FromSeconds(1), best.ToString());
    }

    /// <summary>1 without a route, 2 and 3 by app1, 4 on the other listener.</summary>
    private static TestProxy Four()
    {
        var proxy = new TestProxy();
        proxy.Start();
        foreach (var (client, name, bytes) in new[] { ("203.0.113.9:50001", "app1.example.com", 20L), ("203.0.113.10:1", "app2.example.com", 30L) })
        {
            var session = proxy.Start(client: client);
            session.Route = proxy.Route("app1");
            session.ServerName = name;
            session.BytesIn = bytes;
        }

        proxy.Start("other", "198.51.100.1:7").BytesIn = 5;
        return proxy;
    }
}
