using System.Net;
using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.TestKit;
using KestrelStream.Tests.Diagnostics;
using KestrelStream.Tls;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelStream.Tests.Admin;

public sealed class ExplainEndpointTests
{
    [Fact]
    public async Task Explain_KnownName_TellsTheWholeWay()
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        using var json = JsonDocument.Parse(await host.GetAsync("/api/explain?listener=public&sni=APP1.example.com.&alpn=h2,http/1.1&client=203.0.113.9"));
        var root = json.RootElement;
        Assert.Equal(["route", "cluster", "destination", "certificate", "considered", "members", "action", "end_reason", "client", "denied_by"], root.EnumerateObject().Select(property => property.Name));
        Assert.Equal("app1", root.GetProperty("route").GetString());
        Assert.Equal("pool", root.GetProperty("cluster").GetString());
        Assert.Equal("a", root.GetProperty("destination").GetString());
        Assert.Equal(JsonValueKind.Null, root.GetProperty("certificate").ValueKind);
        var considered = root.GetProperty("considered");
        Assert.Equal(["route", "matched", "why"], considered[0].EnumerateObject().Select(property => property.Name));
        Assert.Equal(["app1 True", "rest True"], considered.EnumerateArray().Select(route => $"{route.GetProperty("route")} {route.GetProperty("matched")}"));
    }

    [Theory]
    [InlineData("10.0.0.1", "null")]
    [InlineData("10.9.0.1", "\"route\"")]
    [InlineData("192.0.2.1", "\"listener\"")]
    [InlineData("", "null")]
    public async Task Explain_Client_SaysWhoseRulesRefuseIt(string client, string expected)
    {
        var config = TestProxy.Create();
        using var proxy = new TestProxy(config with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = config.Listeners["public"] with { Allow = ["10.0.0.0/8"] } },
            Routes = new Dictionary<string, RouteConfig> { ["app1"] = config.Routes["app1"] with { Deny = ["10.9.0.0/16"] } },
        });
        await using var host = await AdminHost.StartAsync(proxy);

        Assert.Contains($"\"denied_by\":{expected}", await host.GetAsync($"/api/explain?listener=public&sni=app1.example.com&client={client}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("listener=public", "rest")]
    [InlineData("listener=PUBLIC&sni=app1.example.com", "app1")]
    [InlineData("listener=public&sni=other.example.com", "rest")]
    [InlineData("listener=public&sni=192.0.2.1", "rest")]
    [InlineData("listener=other&sni=app1.example.com", "rest")]
    public async Task Explain_Hello_FindsItsRoute(string query, string route)
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        using var json = JsonDocument.Parse(await host.GetAsync("/api/explain?" + query));
        Assert.Equal(route, json.RootElement.GetProperty("route").GetString());
    }

    [Theory]
    [InlineData("h2", "h2")]
    [InlineData("http/1.1,h2", "h2")]
    [InlineData("http/1.1", null)]
    [InlineData("", null)]
    public async Task Explain_Alpn_Decides(string alpn, string? route)
    {
        var config = TestProxy.Create();
        using var proxy = new TestProxy(config with
        {
            Routes = new Dictionary<string, RouteConfig> { ["h2"] = new() { Match = new RouteMatch { Alpn = ["h2"] }, ClusterId = "pool" } },
        });
        await using var host = await AdminHost.StartAsync(proxy);
        using var json = JsonDocument.Parse(await host.GetAsync($"/api/explain?listener=public&alpn={alpn}"));
        Assert.Equal(route, json.RootElement.GetProperty("route").GetString());
        Assert.Single(json.RootElement.GetProperty("considered").EnumerateArray());
    }

    [Fact]
    public async Task Explain_Members_AreToldWithWhatSpeaksAgainstThem()
    {
        var config = TestProxy.Create();
        using var proxy = new TestProxy(config with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["pool"] = new()
                {
                    Destinations = new Dictionary<string, DestinationConfig>
                    {
                        ["drained"] = new() { Address = "127.0.0.1:9001", Control = new DestinationControl(OperatorState.Drain, OperatorHealth.Auto) },
                        ["full"] = new() { Address = "127.0.0.1:9002", MaxConnections = 1 },
                        ["idle"] = new() { Address = "127.0.0.1:9003", Weight = 0 },
                        ["good"] = new() { Address = "127.0.0.1:9004" },
                        ["spare"] = new() { Address = "127.0.0.1:9005", Backup = true },
                    },
                },
            },
        });
        var full = proxy.Cluster("pool").Model.Destinations.Single(destination => destination.Id == "full");
        Assert.True(full.TryTakeSlot());
        await using var host = await AdminHost.StartAsync(proxy);
        using var json = JsonDocument.Parse(await host.GetAsync("/api/explain?listener=public&sni=app1.example.com"));
        Assert.Equal(
            [
                "drained False drained by an operator",
                "full False full: 1 of 1 sessions",
                "good True chosen by RoundRobin",
                "idle False has weight 0",
                "spare False could be used, but is a backup, and good is there",
            ],
            json.RootElement.GetProperty("members").EnumerateArray().Select(member => $"{member.GetProperty("destination")} {member.GetProperty("chosen")} {member.GetProperty("why")}"));
    }

    [Theory]
    [InlineData("1603", "incomplete", "PrereadTimeout", null)]
    [InlineData("474554202f", "not_tls", "Rejected", "rest")]
    [InlineData("160301000501000001006300", "malformed", "PrereadMalformed", null)]
    public async Task Explain_Bytes_AreJudgedAsAClientsAre(string hello, string kind, string reason, string? route)
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        using var json = JsonDocument.Parse(await host.GetAsync($"/api/explain?listener=public&hello={hello}"));
        Assert.Equal(kind, json.RootElement.GetProperty("client").GetProperty("kind").GetString());
        Assert.Equal(reason, json.RootElement.GetProperty("end_reason").GetString());
        Assert.Equal(route, json.RootElement.GetProperty("route").GetString());
    }

    [Fact]
    public async Task Explain_WholeHello_GoesTheWayOfItsName()
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        var hello = Convert.ToHexString(ClientHelloBuilder.Browser("app1.example.com").Build());
        using var json = JsonDocument.Parse(await host.GetAsync($"/api/explain?listener=public&hello={hello}"));
        Assert.Equal("app1", json.RootElement.GetProperty("route").GetString());
        Assert.Equal("""["h2","http/1.1"]""", json.RootElement.GetProperty("client").GetProperty("alpn").GetRawText());
    }

    [Fact]
    public async Task Explain_NothingIsPreread_TakesTheOnlyRoute()
    {
        var config = TestProxy.Create();
        using var proxy = new TestProxy(config with { Routes = new Dictionary<string, RouteConfig> { ["tcp"] = new() { ClusterId = "pool" } } });
        await using var host = await AdminHost.StartAsync(proxy);
        using var json = JsonDocument.Parse(await host.GetAsync("/api/explain?listener=public&sni=any.example.com"));
        Assert.Equal("tcp", json.RootElement.GetProperty("route").GetString());
    }

    [Fact]
    public async Task Explain_Asked_ChangesNothing()
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        for (var i = 0; i < 3; i++)
        {
            Assert.Contains("\"destination\":\"a\"", await host.GetAsync("/api/explain?listener=public&sni=app1.example.com"), StringComparison.Ordinal);
        }

        // The turn it told of is still to come, and the next one after it.
        foreach (var (taken, next) in new[] { ("a", "b"), ("b", "a") })
        {
            var attempts = default(DialAttempts);
            Assert.Equal(taken, proxy.Cluster("pool").Next(ref attempts)!.Id);
            Assert.Contains($"\"destination\":\"{next}\"", await host.GetAsync("/api/explain?listener=public&sni=app1.example.com"), StringComparison.Ordinal);
        }

        Assert.All(proxy.Cluster("pool").Model.Destinations, destination => Assert.Equal(1, destination.ActiveSessions));
    }

    [Fact]
    public async Task Explain_DestinationsOut_TellsTheOneThatIsLeft()
    {
        var config = TestProxy.Create();
        using var proxy = new TestProxy(config with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["pool"] = new()
                {
                    Destinations = new Dictionary<string, DestinationConfig>
                    {
                        ["a"] = new() { Address = "127.0.0.1:9001" },
                        ["b"] = new() { Address = "127.0.0.1:9002", MaxConnections = 1 },
                        ["c"] = new() { Address = "127.0.0.1:9003", Backup = true },
                    },
                },
            },
        });
        await using var host = await AdminHost.StartAsync(proxy);
        proxy.FailDials("pool", destinations: 1);
        Assert.Contains("\"destination\":\"b\"", await host.GetAsync("/api/explain?listener=public&sni=app1.example.com"), StringComparison.Ordinal);

        var attempts = default(DialAttempts);
        Assert.Equal("b", proxy.Cluster("pool").Next(ref attempts)!.Id);
        Assert.Contains("\"destination\":\"c\"", await host.GetAsync("/api/explain?listener=public&sni=app1.example.com"), StringComparison.Ordinal);

        proxy.Cluster("pool").Next(ref attempts);
        proxy.FailDials("pool", destinations: 1);
        Assert.Contains("\"destination\":null", await host.GetAsync("/api/explain?listener=public&sni=app1.example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Explain_TerminatedRoute_TellsTheCertificate()
    {
        using var folder = new TempFolder();
        using var store = new CertificateStore(TimeProvider.System, NullLogger<CertificateStore>.Instance);
        var certificates = ConfigMap.Create<CertificateConfig>();
        foreach (var id in new[] { "one", "two" })
        {
            var certificate = TestCertificates.Shared.Issue($"{id}.example.com");
            folder.Write($"{id}.pem", certificate.ChainPem);
            folder.Write($"{id}.key", certificate.KeyPem);
            certificates.Add(id, new CertificateConfig { Path = $"{id}.pem", KeyPath = $"{id}.key" });
        }

        var set = store.Prepare(certificates, folder.Path);
        store.Commit(set);
        var config = TestProxy.Create();
        using var proxy = new TestProxy(
            config with
            {
                Routes = new Dictionary<string, RouteConfig>
                {
                    ["tls"] = new() { Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["one", "two"] }, ClusterId = "pool" },
                },
            },
            (id, route) => TlsPolicy.Compile(new TlsPolicyBasis(id, route.Tls!, null, null, null), set.States, store));
        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Contains("\"certificate\":\"two\"", await host.GetAsync("/api/explain?listener=public&sni=two.example.com"), StringComparison.Ordinal);
        Assert.Contains("\"certificate\":\"one\"", await host.GetAsync("/api/explain?listener=public"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?listener=")]
    [InlineData("?listener=public&sni=a..b")]
    [InlineData("?listener=public&sni=a%20b")]
    [InlineData("?listener=public&sni=a%00b")]
    [InlineData("?listener=public&sni=%D0%BF.example.com")]
    [InlineData("?listener=public&alpn=h2,,http/1.1")]
    [InlineData("?listener=public&alpn=,")]
    [InlineData("?listener=public&client=here")]
    public async Task Explain_BadQuery_IsAProblem(string query)
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        using var json = JsonDocument.Parse(await host.GetAsync("/api/explain" + query, HttpStatusCode.BadRequest, "application/problem+json"));
        Assert.Equal(400, json.RootElement.GetProperty("status").GetInt32());
        Assert.Equal("Bad query", json.RootElement.GetProperty("title").GetString());
        Assert.NotEmpty(json.RootElement.GetProperty("detail").GetString()!);
    }

    [Fact]
    public async Task Explain_LongAlpnName_IsAProblem()
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        await host.GetAsync($"/api/explain?listener=public&alpn={new string('a', 255)}");
        await host.GetAsync($"/api/explain?listener=public&alpn={new string('a', 256)}", HttpStatusCode.BadRequest, "application/problem+json");
    }

    [Fact]
    public async Task Explain_UnknownListener_IsNotFound()
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        using var json = JsonDocument.Parse(await host.GetAsync("/api/explain?listener=none", HttpStatusCode.NotFound, "application/problem+json"));
        Assert.Equal(404, json.RootElement.GetProperty("status").GetInt32());
        Assert.Equal("Unknown listener", json.RootElement.GetProperty("title").GetString());
    }
}
