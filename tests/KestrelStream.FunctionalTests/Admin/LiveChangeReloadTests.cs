using System.Net;
using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Diagnostics;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.Admin;

/// <summary>What becomes of changes when the configuration is loaded again, and how the two are compared.</summary>
public sealed class LiveChangeReloadTests
{
    [Fact]
    public async Task Reload_ThatDoesNotTouchThem_KeepsChanges()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "abx");
        await pool.Admin.SetAsync("a", """{"state":"drain","weight":7}""");
        await AddAsync(pool);

        Assert.True((await pool.Proxy.ReloadAsync(pool.WithDestination("b", pool.Config.Clusters["c"].Destinations["b"] with { Weight = 5 }))).IsApplied);

        Assert.Equal("drain", (await pool.Admin.DestinationAsync("a")).GetProperty("state").GetString());
        Assert.Equal(7, (await pool.Admin.DestinationAsync("a")).GetProperty("weight").GetInt32());
        Assert.Equal(5, (await pool.Admin.DestinationAsync("b")).GetProperty("weight").GetInt32());
        var served = await pool.RunAsync(6);
        Assert.DoesNotContain('a', served);
        Assert.Contains('x', served);
        Assert.Equal(0, Dropped(pool));
    }

    [Fact]
    public async Task Reload_ThatTouchesThem_DropsThoseChangesAndSaysSo()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "abcx");
        foreach (var id in new[] { "a", "b", "c" })
        {
            await pool.Admin.SetAsync(id, """{"state":"drain"}""");
        }

        await AddAsync(pool);
        Assert.Equal("xx", await pool.RunAsync(2));

        // a says something else, b is gone, x is in the configuration now; c is as it was.
        var members = pool.Config.Clusters["c"].Destinations.ToDictionary();
        members["a"] = members["a"] with { MaxConnections = 9 };
        members.Remove("b");
        members["x"] = new DestinationConfig { Address = pool.Address('x', "abcx"), Weight = 4 };
        Assert.True((await pool.Proxy.ReloadAsync(pool.With(c => c with { Destinations = members }))).IsApplied);

        Assert.Equal(3, Dropped(pool));
        Assert.Equal("ready", (await pool.Admin.DestinationAsync("a")).GetProperty("state").GetString());
        Assert.Equal("drain", (await pool.Admin.DestinationAsync("c")).GetProperty("state").GetString());
        Assert.Equal(4, (await pool.Admin.DestinationAsync("x")).GetProperty("weight").GetInt32());
        Assert.Contains('a', await pool.RunAsync(5));

        // Back as it was: what was dropped does not come back.
        Assert.True((await pool.Proxy.ReloadAsync(pool.Config)).IsApplied);
        Assert.Equal("ready", (await pool.Admin.DestinationAsync("b")).GetProperty("state").GetString());
    }

    [Fact]
    public async Task Reload_AddedOneNoLongerFits_IsDropped()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "ax");
        await AddAsync(pool);

        // The same address under another id.
        Assert.True((await pool.Proxy.ReloadAsync(pool.WithDestination("y", new DestinationConfig { Address = pool.Address('x', "ax") }))).IsApplied);
        Assert.Equal(1, Dropped(pool));
        Assert.Equal(["a", "y"], (await pool.Admin.GetAsync("/api/clusters"))[0].GetProperty("destinations").EnumerateArray().Select(destination => destination.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task Reload_Rejected_KeepsChanges()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "ab");
        await pool.Admin.SetAsync("a", """{"state":"drain"}""");
        Assert.False((await pool.Proxy.ReloadAsync(pool.WithDestination("a", new DestinationConfig { Address = "nonsense" }))).IsApplied);
        Assert.Equal("drain", (await pool.Admin.DestinationAsync("a")).GetProperty("state").GetString());
        Assert.Equal("bb", await pool.RunAsync(2));

        // What is wrong with the source shows beside what differs from the one that was applied.
        var differences = (await pool.Admin.GetAsync("/api/config/diff")).EnumerateArray().ToList();
        Assert.Equal("StreamProxy:Clusters:c:Destinations:a:State", differences[0].GetProperty("path").GetString());
        Assert.False(differences[0].TryGetProperty("error", out _));
        Assert.Equal("StreamProxy:Clusters:c:Destinations:a:Address", differences[1].GetProperty("path").GetString());
        Assert.Contains("nonsense", differences[1].GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Diff_EveryKindOfChange_IsThere()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "abcx");
        Assert.Equal("[]", (await pool.Admin.GetAsync("/api/config/diff")).GetRawText());
        await pool.Admin.SetAsync("a", """{"state":"maintenance","health":"up","weight":3}""");
        await pool.Admin.ChangeAsync("DELETE", "/api/clusters/c/destinations/b");
        await AddAsync(pool);

        var differences = (await pool.Admin.GetAsync("/api/config/diff")).EnumerateArray().ToDictionary(
            difference => difference.GetProperty("path").GetString()!["StreamProxy:Clusters:c:Destinations:".Length..],
            difference => (Running: difference.GetProperty("running"), File: difference.GetProperty("file")));
        Assert.Equal(["a:Health", "a:State", "a:Weight", "b", "x"], differences.Keys);
        Assert.Equal(("\"maintenance\"", "\"ready\""), (differences["a:State"].Running.GetRawText(), differences["a:State"].File.GetRawText()));
        Assert.Equal(("\"up\"", "\"auto\""), (differences["a:Health"].Running.GetRawText(), differences["a:Health"].File.GetRawText()));
        Assert.Equal(("3", "1"), (differences["a:Weight"].Running.GetRawText(), differences["a:Weight"].File.GetRawText()));
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Object), (differences["b"].Running.ValueKind, differences["b"].File.ValueKind));
        Assert.Equal(pool.Address('x', "abcx"), differences["x"].Running.GetProperty("Address").GetString());

        await pool.Admin.SetAsync("a", """{"state":"ready","health":"auto","weight":1}""");
        await pool.Admin.ChangeAsync("DELETE", "/api/clusters/c/destinations/x");
        await pool.Admin.ChangeAsync("POST", "/api/clusters/c/destinations", $$"""{"id":"b","address":"{{pool.Address('b', "abcx")}}"}""");
        Assert.Equal("[]", (await pool.Admin.GetAsync("/api/config/diff")).GetRawText());
    }

    [Fact]
    public async Task Diff_Secrets_AreNotShown()
    {
        using var folder = new TempFolder();
        var certificate = TestCertificates.Shared.Issue("site.example.com");
        folder.Write("site.pem", certificate.ChainPem);
        folder.Write("site.key", certificate.KeyPem);
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "a", everything: config => WithPassword(config, "first secret"));
        Assert.True((await pool.Proxy.ReloadAsync(WithPassword(pool.Config, "second secret"))).IsApplied);
        await pool.Admin.ChangeAsync("POST", "/api/config/rollback");

        Assert.Equal(
            """[{"path":"StreamProxy:Certificates:site:Password","running":"***","file":"***"}]""",
            (await pool.Admin.GetAsync("/api/config/diff")).GetRawText());
        Assert.DoesNotContain(AdminPort.Token, await pool.Admin.Client.GetStringAsync("/api/config"), StringComparison.Ordinal);

        // The password of a key that is not encrypted is not asked for.
        StreamProxyConfig WithPassword(StreamProxyConfig config, string password) => config with
        {
            Certificates = new Dictionary<string, CertificateConfig> { ["site"] = new() { Path = folder["site.pem"], KeyPath = folder["site.key"], Password = password } },
        };
    }

    [Fact]
    public async Task Rollback_GoesBackAndForth()
    {
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "ax");
        Assert.Equal(HttpStatusCode.Conflict, (await pool.Admin.SendAsync("POST", "/api/config/rollback")).Status);
        var other = pool.With(c => c with { Destinations = new Dictionary<string, DestinationConfig> { ["x"] = new() { Address = pool.Address('x', "ax") } } });
        Assert.True((await pool.Proxy.ReloadAsync(other)).IsApplied);
        Assert.Equal("x", await pool.RunAsync(1));

        var generation = pool.Proxy.Proxy.Generation;
        Assert.Equal($$"""{"generation":{{generation + 1}}}""", (await pool.Admin.ChangeAsync("POST", "/api/config/rollback")).GetRawText());
        Assert.Equal(generation + 1, pool.Proxy.Proxy.Generation);
        Assert.Equal("a", await pool.RunAsync(1));

        // What runs is not what the source says.
        Assert.Equal(2, (await pool.Admin.GetAsync("/api/config/diff")).GetArrayLength());
        await pool.Admin.ChangeAsync("POST", "/api/config/rollback", "{}");
        Assert.Equal("x", await pool.RunAsync(1));
    }

    [Fact]
    public async Task Rollback_PreviousCannotBeAppliedNow_ChangesNothingAndSaysWhy()
    {
        using var folder = new TempFolder();
        var certificate = TestCertificates.Shared.Issue("site.example.com");
        folder.Write("site.pem", certificate.ChainPem);
        folder.Write("site.key", certificate.KeyPem);
        await using var pool = await LivePool.StartAsync(EngineKind.Auto, "ax", everything: config => config with
        {
            Certificates = new Dictionary<string, CertificateConfig> { ["site"] = new() { Path = folder["site.pem"], KeyPath = folder["site.key"] } },
        });
        Assert.True((await pool.Proxy.ReloadAsync(pool.WithDestination("b", new DestinationConfig { Address = pool.Address('x', "ax") }) with { Certificates = new Dictionary<string, CertificateConfig>() })).IsApplied);
        var generation = pool.Proxy.Proxy.Generation;
        File.Delete(folder["site.key"]);

        var (status, body) = await pool.Admin.SendAsync("POST", "/api/config/rollback");

        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Equal("StreamProxy:Certificates:site:KeyPath", body.GetProperty("errors")[0].GetProperty("path").GetString());
        Assert.Equal(generation, pool.Proxy.Proxy.Generation);
        Assert.Contains('x', await pool.RunAsync(2));
    }

    private static Task<JsonElement> AddAsync(LivePool pool)
        => pool.Admin.ChangeAsync("POST", "/api/clusters/c/destinations", $$"""{"id":"x","address":"{{pool.Upstreams[^1].EndPoint}}"}""");

    private static int Dropped(LivePool pool) => pool.Proxy.Log.Events.Count(logged => logged.Id == EventIds.ChangeDropped);
}
