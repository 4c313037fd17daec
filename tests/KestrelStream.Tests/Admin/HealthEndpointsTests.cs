using System.Net;
using KestrelStream.Configuration;
using KestrelStream.Discovery;
using KestrelStream.Model;
using KestrelStream.Tests.Diagnostics;
using KestrelStream.Tests.Model;
using KestrelStream.Tls;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Xunit;

namespace KestrelStream.Tests.Admin;

public sealed class HealthEndpointsTests
{
    [Fact]
    public async Task Health_AllUp_IsHealthy()
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Equal("""{"status":"Healthy","clusters":{"pool":{"status":"Healthy","up":2,"total":2}}}""", await host.GetAsync("/healthz"));
    }

    [Fact]
    public async Task Health_OneOut_IsDegradedAnd200()
    {
        using var proxy = new TestProxy();
        proxy.FailDials("pool", destinations: 1);
        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Equal("""{"status":"Degraded","clusters":{"pool":{"status":"Degraded","up":1,"total":2}}}""", await host.GetAsync("/healthz"));
    }

    [Fact]
    public async Task Health_NoneLeft_IsUnhealthyAnd503()
    {
        using var proxy = new TestProxy();
        proxy.FailDials("pool", destinations: 2);
        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Equal(
            """{"status":"Unhealthy","clusters":{"pool":{"status":"Unhealthy","up":0,"total":2}}}""",
            await host.GetAsync("/healthz", HttpStatusCode.ServiceUnavailable));
    }

    [Fact]
    public async Task Health_TwoClusters_IsThatOfTheWorst()
    {
        var config = TestProxy.Create();
        using var proxy = new TestProxy(config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["pool"] = config.Clusters["pool"], ["other"] = config.Clusters["pool"] },
        });
        proxy.FailDials("other", destinations: 2);
        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Equal(
            """{"status":"Unhealthy","clusters":{"other":{"status":"Unhealthy","up":0,"total":2},"pool":{"status":"Healthy","up":2,"total":2}}}""",
            await host.GetAsync("/healthz", HttpStatusCode.ServiceUnavailable));
    }

    /// <summary>Before the first lookup has ended nothing is known; then a name without addresses is one that is down.</summary>
    [Fact]
    public async Task Health_NameThatDoesNotResolve_IsUnhealthyUntilItDoes()
    {
        var config = TestProxy.Create();
        using var proxy = new TestProxy(config with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["pool"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = "db.example.com:1" } } },
            },
        });
        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Equal("""{"status":"Healthy","clusters":{"pool":{"status":"Healthy","up":0,"total":0}}}""", await host.GetAsync("/healthz"));

        var cluster = proxy.Cluster("pool");
        cluster.Refresh(cluster.Model.Sources[0], MemberRefreshTests.State() with { Result = LookupResult.Failed, ResolvedAt = null, Failure = "server failure" });
        Assert.Equal(
            """{"status":"Unhealthy","clusters":{"pool":{"status":"Unhealthy","up":0,"total":1}}}""",
            await host.GetAsync("/healthz", HttpStatusCode.ServiceUnavailable));

        cluster.Refresh(cluster.Model.Sources[0], MemberRefreshTests.State(1, 2));
        Assert.Equal("""{"status":"Healthy","clusters":{"pool":{"status":"Healthy","up":2,"total":2}}}""", await host.GetAsync("/healthz"));
    }

    /// <summary>Only those that a route uses count; 503 would take a proxy out of service that works.</summary>
    [Theory]
    [InlineData(15, false, "Healthy", "")]
    [InlineData(13, false, "Degraded", "")]
    [InlineData(-1, false, "Degraded", "")]
    [InlineData(30, true, "Degraded", ",\"refused\":1")]
    public async Task Health_CertificateThatEndsSoonOrIsRefused_IsDegradedAnd200(int days, bool isRefused, string status, string refused)
    {
        var config = TestProxy.Create();
        using var proxy = new TestProxy(
            config with
            {
                Routes = new Dictionary<string, RouteConfig>
                {
                    ["app1"] = config.Routes["app1"] with { Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["Site"] } },
                },
            },
            (_, _) => null!);
        var end = proxy.Time.GetUtcNow().AddDays(days);
        proxy.Certificates =
        [
            new CertificateStatus("site", end) { Refused = isRefused ? [new RefusedCertificate("a.crt", "is damaged", IsOldServed: true)] : [] },
            new CertificateStatus("unused", proxy.Time.GetUtcNow()),
        ];
        await using var host = await AdminHost.StartAsync(proxy);

        var certificate = $$"""{"status":"{{status}}","not_after":{{System.Text.Json.JsonSerializer.Serialize(end)}},"served":1{{refused}}}""";
        Assert.Equal(
            $$$"""{"status":"{{{status}}}","clusters":{"pool":{"status":"Healthy","up":2,"total":2}},"certificates":{"site":{{{certificate}}}}}""",
            await host.GetAsync("/healthz"));
    }

    [Fact]
    public async Task Health_NothingInForce_IsHealthy()
    {
        using var proxy = new TestProxy { Current = null };
        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Equal("""{"status":"Healthy","clusters":{}}""", await host.GetAsync("/healthz"));
    }

    [Fact]
    public async Task Health_AppHasChecksOfItsOwn_AreNotAsked()
    {
        using var proxy = new TestProxy();
        await using var host = await AdminHost.StartAsync(
            proxy, configure: services => services.AddHealthChecks().AddCheck("database", () => HealthCheckResult.Unhealthy()));
        Assert.StartsWith("""{"status":"Healthy",""", await host.GetAsync("/healthz"), StringComparison.Ordinal);

        // The app's own endpoint sees both.
        var report = await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync();
        Assert.Equal(["database", "stream_proxy"], report.Entries.Keys.Order());
        Assert.Equal("All destinations are up", report.Entries["stream_proxy"].Description);
    }

    [Theory]
    [InlineData(true, false, HttpStatusCode.OK, "Ready")]
    [InlineData(false, false, HttpStatusCode.ServiceUnavailable, "Starting")]
    [InlineData(false, true, HttpStatusCode.ServiceUnavailable, "Draining")]
    [InlineData(true, true, HttpStatusCode.ServiceUnavailable, "Draining")]
    public async Task Readiness_State_IsTold(bool isReady, bool isDraining, HttpStatusCode status, string text)
    {
        using var proxy = new TestProxy { IsReady = isReady, IsDraining = isDraining };
        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Equal($$"""{"status":"{{text}}"}""", await host.GetAsync("/readyz", status));
    }
}
