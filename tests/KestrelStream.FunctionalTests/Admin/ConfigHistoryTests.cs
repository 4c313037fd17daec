using System.Net;
using System.Text.Json;
using KestrelStream.Configuration;
using Xunit;

namespace KestrelStream.FunctionalTests.Admin;

/// <summary>What <c>/api/config</c> and <c>/api/config/history</c> tell of reloads and changes.</summary>
public sealed class ConfigHistoryTests
{
    private const string Secret = "another-token-of-letters";

    [Fact]
    public async Task History_StartReloadChangeRollback_AreAllThere()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Sockets, "ab");
        var (client, _) = await pool.OpenAsync();
        using var open = client;
        var changed = pool.Config with
        {
            ShutdownTimeout = TimeSpan.FromSeconds(11),
            Admin = new AdminConfig { Token = Secret },
        };
        Assert.True((await pool.Proxy.ReloadAsync(changed)).IsApplied);

        var config = await pool.Admin.GetAsync("/api/config");
        var generation = config.GetProperty("generation").GetInt64();
        Assert.DoesNotContain(Secret, config.GetRawText(), StringComparison.Ordinal);
        Assert.Equal(0, config.GetProperty("changes_total").GetInt32() - config.GetProperty("changes").GetArrayLength());
        var sessions = Assert.Single(config.GetProperty("sessions").EnumerateArray());
        Assert.Equal((1, 1), (sessions.GetProperty("id").GetInt64(), sessions.GetProperty("active_sessions").GetInt32()));
        Assert.True(generation >= 2);

        Assert.True((await pool.Proxy.ReloadAsync(changed with { Admin = pool.Config.Admin })).IsApplied);
        await pool.Admin.SetAsync("a", """{"state":"drain"}""");
        await pool.Admin.ChangeAsync("POST", "/api/config/rollback");
        var history = (await pool.Admin.GetAsync("/api/config/history")).EnumerateArray().ToList();
        var kinds = history.Select(happened => happened.GetProperty("kind").GetString()).Distinct();
        Assert.Equal(["Rollback", "Change", "Reload", "Start"], kinds);
        Assert.DoesNotContain(history, happened => happened.GetRawText().Contains(Secret, StringComparison.Ordinal));
        var change = history.Single(happened => happened.GetProperty("kind").GetString() == "Change");
        Assert.Contains("state=Drain", change.GetProperty("to").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("127.0.0.1:", change.GetProperty("who").GetString(), StringComparison.Ordinal);
        var paths = history.SelectMany(happened => happened.GetProperty("changes").EnumerateArray()).ToList();
        Assert.Contains(paths, path => path.GetProperty("path").GetString() == "StreamProxy:ShutdownTimeout" && path.GetProperty("after").GetString() == "00:00:11");
        Assert.All(paths.Where(path => path.GetProperty("path").GetString() == "StreamProxy:Admin:Token"), path => Assert.Equal("***", path.GetProperty("after").GetString()));
    }

    [Fact]
    public async Task History_RejectedReload_HasItsErrors()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Sockets, "a");
        Assert.False((await pool.Proxy.ReloadAsync(pool.Config with { Clusters = new Dictionary<string, ClusterConfig>() })).IsApplied);
        var rejected = (await pool.Admin.GetAsync("/api/config/history"))[0];
        Assert.Equal("Rejected", rejected.GetProperty("kind").GetString());
        Assert.NotEmpty(rejected.GetProperty("errors").EnumerateArray());
    }

    [Fact]
    public async Task Access_Token_IsToldBeforeAnythingIsChanged()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Sockets, "a");
        Assert.Equal("""{"changes":false,"needs":"token"}""", (await pool.Admin.GetAsync("/api/access")).GetRawText());
        var (status, body) = await pool.Admin.SendAsync("GET", "/api/access");
        Assert.Equal((HttpStatusCode.OK, true), (status, body.GetProperty("changes").GetBoolean()));
        using var wrong = new HttpRequestMessage(HttpMethod.Get, "/api/access") { Headers = { { "Authorization", "Bearer wrong" } } };
        using var response = await pool.Admin.Client.SendAsync(wrong);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        using var problem = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal(401, problem.RootElement.GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task Refused_RealClient_IsInTheRing()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "a", everything: config => config with
        {
            Admin = config.Admin! with { RefusedBytes = 5 },
            Routes = new Dictionary<string, RouteConfig> { ["named"] = new() { Match = new RouteMatch { Sni = ["named.example.com"] }, ClusterId = "c" } },
        });
        using var client = await pool.Proxy.ConnectAsync();
        await TestKit.SocketExtensions.SendAllAsync(client, new TestKit.ClientHelloBuilder().WithServerName("other.example.com").Build());
        await TestKit.SocketExtensions.ReceiveToEndAsync(client);
        var refused = await TestKit.Wait.ForAsync(() => pool.Admin.Client.GetStringAsync("/api/refused").GetAwaiter().GetResult() is { Length: > 2 } text ? text : null, "the refusal");
        using var json = JsonDocument.Parse(refused);
        var first = json.RootElement[0];
        Assert.Equal(("NoRoute", "other.example.com", "public"), (first.GetProperty("reason").GetString(), first.GetProperty("sni").GetString(), first.GetProperty("listener").GetString()));
        Assert.StartsWith("160301", first.GetProperty("first_bytes").GetString(), StringComparison.Ordinal);
        Assert.Equal(10, first.GetProperty("first_bytes").GetString()!.Length);
    }
}
