using KestrelStream.Tests.Model;
using KestrelStream.Discovery;
using System.Net;
using System.Text.Json;
using KestrelStream.Configuration;
using KestrelStream.Health.Checks;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.Tls;
using KestrelStream.Tests.Diagnostics;
using Xunit;

namespace KestrelStream.Tests.Admin;

public sealed class StateEndpointsTests
{
    [Fact]
    public async Task Config_Running_IsShownInSnakeCase()
    {
        using var proxy = new TestProxy();
        proxy.Apply(TestProxy.Create() with { ShutdownTimeout = Timeout.InfiniteTimeSpan });
        await using var host = await AdminHost.StartAsync(proxy);
        using var json = JsonDocument.Parse(await host.GetAsync("/api/config"));
        var root = json.RootElement;
        Assert.Equal(["generation", "applied", "config", "changes", "changes_total", "sessions"], root.EnumerateObject().Select(property => property.Name));
        Assert.Equal(2, root.GetProperty("generation").GetInt64());
        Assert.Equal(proxy.Time.GetUtcNow(), root.GetProperty("applied").GetDateTimeOffset());
        var config = root.GetProperty("config");
        Assert.Equal("Infinite", config.GetProperty("shutdown_timeout").GetString());
        Assert.Equal("00:00:30", config.GetProperty("listeners").GetProperty("public").GetProperty("preread_timeout").GetString());
        Assert.Equal("""["app1.example.com"]""", config.GetProperty("routes").GetProperty("app1").GetProperty("match").GetProperty("sni").GetRawText());
        Assert.Equal("Reject", config.GetProperty("routes").GetProperty("rest").GetProperty("action").GetString());
        Assert.Equal("127.0.0.1:9001", config.GetProperty("clusters").GetProperty("pool").GetProperty("destinations").GetProperty("a").GetProperty("address").GetString());
    }

    [Fact]
    public async Task Config_Secrets_AreRedacted()
    {
        const string Secret = "s3cr3t-passw0rd";
        using var proxy = new TestProxy(TestProxy.Create() with
        {
            Certificates = new Dictionary<string, CertificateConfig>
            {
                ["Password"] = new() { Path = "site.pfx", Password = Secret },
                ["open"] = new() { Path = "site.pem", KeyPath = "site.key" },
                ["auto"] = new() { Acme = new AcmeConfig { ExternalAccount = new AcmeExternalAccountConfig { KeyId = "kid-1", HmacKey = Secret } } },
            },
        });
        await using var host = await AdminHost.StartAsync(proxy);
        var text = await host.GetAsync("/api/config");
        Assert.DoesNotContain(Secret, text, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(text);
        var certificates = json.RootElement.GetProperty("config").GetProperty("certificates");
        Assert.Equal("""{"path":"site.pfx","key_path":null,"directory":null,"password":"***","acme":null}""", certificates.GetProperty("Password").GetRawText());
        Assert.Equal("""{"path":"site.pem","key_path":"site.key","directory":null,"password":null,"acme":null}""", certificates.GetProperty("open").GetRawText());
        Assert.Equal("""{"key_id":"kid-1","hmac_key":"***"}""", certificates.GetProperty("auto").GetProperty("acme").GetProperty("external_account").GetRawText());
    }

    [Fact]
    public async Task Certificates_Loaded_ShowWhatIsServedAndWhatIsNot()
    {
        using var proxy = new TestProxy();
        proxy.Certificates =
        [
            new CertificateStatus("site", new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero)),
            new CertificateStatus("dir", null)
            {
                Count = 0,
                Changes = (3, 1),
                WhyUnreadable = "it does not exist",
                Refused = [new RefusedCertificate("a.crt", "is damaged", IsOldServed: false)],
            },
        ];
        await using var host = await AdminHost.StartAsync(proxy);

        Assert.Equal(
            """[{"id":"dir","certificates":0,"not_after":null,"taken":3,"refused_total":1,"unreadable":"it does not exist","names":[],"not_before":null,"refused":[{"path":"a.crt","reason":"is damaged","is_old_served":false}]},"""
            + """{"id":"site","certificates":1,"not_after":"2030-01-02T03:04:05+00:00","taken":0,"refused_total":0,"unreadable":null,"names":[],"not_before":null,"refused":[]}]""",
            await host.GetAsync("/api/certificates"));
    }

    [Fact]
    public async Task Config_BeforeStart_IsAProblem()
    {
        using var proxy = new TestProxy { Current = null };
        await using var host = await AdminHost.StartAsync(proxy);
        await host.GetAsync("/api/config", HttpStatusCode.ServiceUnavailable, "application/problem+json");
    }

    [Fact]
    public async Task Listeners_Bound_ShowCountersAndRoutes()
    {
        using var proxy = new TestProxy();
        proxy.Listener("public").SetBound([IPEndPoint.Parse("127.0.0.1:4430")]);
        var ended = proxy.Start();
        ended.BytesIn = 5;
        proxy.End(ended);
        proxy.Start().BytesOut = 7;
        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Equal(
            """[{"id":"other","address":"127.0.0.1:4431","bound":[],"routes":["rest"],"active_sessions":0,"max_connections":null,"bytes_in":0,"bytes_out":0,"most_sessions":0,"total_sessions":0},"""
            + """{"id":"public","address":"127.0.0.1:4430","bound":["127.0.0.1:4430"],"routes":["app1","rest"],"active_sessions":1,"max_connections":null,"bytes_in":5,"bytes_out":7,"most_sessions":1,"total_sessions":2}]""",
            await host.GetAsync("/api/listeners"));
    }

    [Fact]
    public async Task Routes_Running_ShowCountersAndListeners()
    {
        using var proxy = new TestProxy();
        for (var i = 0; i < 3; i++)
        {
            var session = proxy.Start();
            session.Route = proxy.Route("app1");
            if (i > 0)
            {
                proxy.End(session);
            }
        }

        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Equal(
            """[{"id":"app1","listeners":["public"],"match":{"sni":["app1.example.com"],"alpn":[],"protocols":[],"client_networks":[],"first_bytes":[]},"start_tls":null,"action":"Forward","tls_mode":"Passthrough","certificates":[],"cluster":"pool","order":0,"active_sessions":1,"total_sessions":3,"bytes_in":0,"bytes_out":0},"""
            + """{"id":"rest","listeners":["other","public"],"match":{"sni":[],"alpn":[],"protocols":[],"client_networks":[],"first_bytes":[]},"start_tls":null,"action":"Reject","tls_mode":"Passthrough","certificates":[],"cluster":null,"order":0,"active_sessions":0,"total_sessions":0,"bytes_in":0,"bytes_out":0}]""",
            await host.GetAsync("/api/routes"));
    }

    [Fact]
    public async Task Clusters_Used_ShowTheirDestinations()
    {
        using var proxy = new TestProxy();
        var attempts = default(DialAttempts);
        var used = proxy.Cluster("pool").Next(ref attempts)!;
        proxy.Cluster("pool").DialSucceeded(used, attempts);
        var other = proxy.Cluster("pool").Next(ref attempts)!;
        proxy.Cluster("pool").DialFailed(other, ref attempts);
        Assert.Equal("a", used.Id);
        used.SetLastCheck(new CheckReport(CheckResult.Protocol, "not +PONG: -ERR", TimeSpan.FromMilliseconds(1.5), proxy.Time.GetUtcNow()));

        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Equal(
            """[{"id":"pool","policy":"RoundRobin","queue_length":0,"queue_max":0,"destinations":["""
            + """{"id":"a","address":"127.0.0.1:9001","end_points":["127.0.0.1:9001"],"source":null,"state":"ready","draining":null,"health":"Healthy","health_override":"auto","weight":1,"backup":false,"max_connections":null,"active_sessions":1,"total_sessions":1,"dial_failures":0,"warm_connections":null,"most_sessions":1,"failed_sessions":0,"ejections":0,"bytes_in":0,"bytes_out":0,"last_check":{"result":"protocol","detail":"not \u002BPONG: -ERR","ms":1.5,"at":"2030-01-01T00:00:00+00:00","certificate_expires":null,"uncovered_names":null}},"""
            + """{"id":"b","address":"127.0.0.1:9002","end_points":["127.0.0.1:9002"],"source":null,"state":"ready","draining":null,"health":"Unhealthy","health_override":"auto","weight":1,"backup":false,"max_connections":null,"active_sessions":0,"total_sessions":0,"dial_failures":1,"warm_connections":null,"most_sessions":0,"failed_sessions":0,"ejections":1,"bytes_in":0,"bytes_out":0,"last_check":null}],"discovery":[]}]""",
            await host.GetAsync("/api/clusters"));
    }

    [Fact]
    public async Task Clusters_MembersByName_ShowTheNameAndWhoIsLeaving()
    {
        using var proxy = new TestProxy(TestProxy.Create() with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["pool"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = "db.example.com:5432" } } },
            },
        });
        var cluster = proxy.Cluster("pool");
        cluster.Refresh(cluster.Model.Sources[0], MemberRefreshTests.State(1));
        var attempts = default(DialAttempts);
        cluster.DialSucceeded(cluster.Next(ref attempts)!, attempts);
        cluster.Refresh(cluster.Model.Sources[0], MemberRefreshTests.State(2) with { Result = LookupResult.Empty, Failure = "it has no address" });

        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Equal(
            """[{"id":"pool","policy":"RoundRobin","queue_length":0,"queue_max":0,"destinations":["""
            + """{"id":"a@10.0.0.2","address":"10.0.0.2:5432","end_points":["10.0.0.2:5432"],"source":"a","state":"ready","draining":null,"health":"Unknown","health_override":"auto","weight":1,"backup":false,"max_connections":null,"active_sessions":0,"total_sessions":0,"dial_failures":0,"warm_connections":null,"most_sessions":0,"failed_sessions":0,"ejections":0,"bytes_in":0,"bytes_out":0,"last_check":null},"""
            + """{"id":"a@10.0.0.1","address":"10.0.0.1:5432","end_points":["10.0.0.1:5432"],"source":"a","state":"leaving","draining":1,"health":"Healthy","health_override":"auto","weight":1,"backup":false,"max_connections":null,"active_sessions":1,"total_sessions":1,"dial_failures":0,"warm_connections":null,"most_sessions":1,"failed_sessions":0,"ejections":0,"bytes_in":0,"bytes_out":0,"last_check":null}],"""
            + """ "discovery":[{"id":"a","name":"db.example.com:5432","members":1,"resolved_at":"1970-01-01T00:00:00+00:00","ttl_seconds":30,"last_result":"empty","last_error":"it has no address"}]}]""".TrimStart(),
            await host.GetAsync("/api/clusters"));
    }

    [Fact]
    public async Task Sessions_Live_ShowWhatIsKnown()
    {
        using var proxy = new TestProxy();
        proxy.Start("other", "[::ffff:203.0.113.9]:1");
        var relayed = proxy.Start();
        relayed.Route = proxy.Route("app1");
        var attempts = default(DialAttempts);
        relayed.Destination = proxy.Cluster("pool").Next(ref attempts);
        relayed.ServerName = "app1.example.com";
        relayed.BytesIn = 11;
        relayed.BytesOut = 22;
        relayed.Tls = new TlsFacts("TLSv1.3", "x", null, null) { ClientCertificate = new ClientCertificate("CN=app", "CN=ca", null, "00ff") };
        relayed.Enter(SessionPhase.Relay, Timeout.InfiniteTimeSpan);

        // Ended, and not yet out of the table.
        proxy.Start().Leave();

        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Equal(
            """[{"id":"1","listener":"other","route":null,"cluster":null,"destination":null,"client":"203.0.113.9:1","sni":null,"phase":"Preread","bytes_in":0,"bytes_out":0,"started":"2030-01-01T00:00:00+00:00","generation":1,"client_certificate":null,"bytes_in_per_second":null,"bytes_out_per_second":null},"""
            + """{"id":"2","listener":"public","route":"app1","cluster":"pool","destination":"a","client":"203.0.113.9:50000","sni":"app1.example.com","phase":"Relay","bytes_in":11,"bytes_out":22,"started":"2030-01-01T00:00:00+00:00","generation":1,"client_certificate":{"subject":"CN=app","issuer":"CN=ca","subject_alternative_names":null,"sha256":"00ff"},"bytes_in_per_second":null,"bytes_out_per_second":null}]""",
            await host.GetAsync("/api/sessions"));
    }

    [Fact]
    public async Task Sessions_TenThousand_AreAllThere()
    {
        const int Count = 10_000;
        using var proxy = new TestProxy();
        for (var i = 0; i < Count; i++)
        {
            proxy.Start();
        }

        await using var host = await AdminHost.StartAsync(proxy);
        using var json = JsonDocument.Parse(await host.GetAsync("/api/sessions?limit=10000"));
        Assert.Equal(
            Enumerable.Range(1, Count).Select(id => id.ToString("x")),
            json.RootElement.EnumerateArray().Select(session => session.GetProperty("id").GetString()));
    }

    [Theory]
    [InlineData("/api/listeners")]
    [InlineData("/api/routes")]
    [InlineData("/api/clusters")]
    [InlineData("/api/sessions")]
    public async Task Lists_BeforeStart_AreEmpty(string path)
    {
        using var proxy = new TestProxy(new StreamProxyConfig()) { Current = null };
        await using var host = await AdminHost.StartAsync(proxy);
        Assert.Equal("[]", await host.GetAsync(path));
    }
}
