using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.Health.Checks;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Health;

/// <summary>Checks against the servers they are made for: healthy, held by SIGSTOP, going on, killed; and against servers that speak something else.</summary>
public sealed class RealServerTests
{
    private const int SigKill = 9;
    private const int SigCont = 18;
    private const int SigStop = 19;

    [Fact]
    public async Task PostgreSql_LetsEveryoneIn_IsAskedToTheEndOfTheStartup()
    {
        await using var server = await PostgresServer.StartAsync("open");

        await FollowAsync(server.EndPoint, server.Process, CheckedPool.Often(HealthCheckKind.PostgreSql), "ready for query");
    }

    [Fact]
    public async Task PostgreSql_WantsAPassword_IsHealthyWithoutOne()
    {
        await using var server = await PostgresServer.StartAsync("closed", authentication: "scram-sha-256");
        await using var rejecting = await PostgresServer.StartAsync("rejecting", authentication: "reject");
        var check = CheckedPool.Often(HealthCheckKind.PostgreSql);

        Assert.Equal("authentication request 10", (await HealthyAsync(server.EndPoint, check with { User = "nobody", Database = "nothing" })).Detail);

        // As pg_isready says: it accepts connections, whomever it lets in.
        Assert.StartsWith("28000 pg_hba.conf rejects connection", (await HealthyAsync(rejecting.EndPoint, check)).Detail, StringComparison.Ordinal);
        Assert.DoesNotContain("Connection reset", server.Process.Error.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MySql_MariaDb_IsFollowed()
    {
        await using var server = await MariaDbServer.StartAsync();

        // A connection that ends without a login would count against the proxy's host, until the server blocks it.
        await HealthyAsync(server.EndPoint, CheckedPool.Often(HealthCheckKind.MySql));
        Assert.NotNull(await server.Process.Error.WaitForAsync(line => line.Contains("Access denied for user 'kestrelstream'@", StringComparison.Ordinal), Wait.Limit));
        Assert.DoesNotContain("user: 'unauthenticated' host: 'localhost' (This connection closed normally", server.Process.Error.Text, StringComparison.Ordinal);

        await FollowAsync(server.EndPoint, server.Process, CheckedPool.Often(HealthCheckKind.MySql), "MariaDB");
    }

    [Fact]
    public async Task MySql_OutOfConnections_IsDownWithItsError()
    {
        await using var server = await MariaDbServer.StartAsync("--max-connections=10", "--extra-max-connections=1");
        await using var proxy = await ProxyEnvironment.StartAsync(CheckedPool.Config(EngineKind.Sockets, CheckedPool.Often(HealthCheckKind.MySql), server.EndPoint));
        await proxy.UntilUpAsync("a");

        // Ten that have been greeted and say nothing, and the one that is set aside for an administrator.
        var sockets = new List<System.Net.Sockets.Socket>();
        try
        {
            for (var i = 0; i < 14; i++)
            {
                var socket = new System.Net.Sockets.Socket(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
                sockets.Add(socket);
                await socket.ConnectAsync(server.EndPoint);
            }

            var report = await proxy.UntilDownAsync("a", CheckResult.Protocol);
            Assert.StartsWith("error 1040: ", report.Detail, StringComparison.Ordinal);
            Assert.EndsWith("Too many connections", report.Detail, StringComparison.Ordinal);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }

        await proxy.UntilUpAsync("a");
    }

    [Fact]
    public async Task Redis_Server_IsFollowed()
    {
        await using var server = await RedisServer.StartAsync();

        await FollowAsync(server.EndPoint, server.Process, CheckedPool.Often(HealthCheckKind.Redis), "+PONG");
    }

    [Fact]
    public async Task Redis_Password_IsUsedWhenThereIsOne()
    {
        await using var server = await RedisServer.StartAsync(password: "s3cret");
        var check = CheckedPool.Often(HealthCheckKind.Redis);

        Assert.Equal("+PONG", (await HealthyAsync(server.EndPoint, check with { Password = "s3cret" })).Detail);
        Assert.Equal("+PONG", (await HealthyAsync(server.EndPoint, check with { User = "default", Password = "s3cret" })).Detail);
        Assert.StartsWith("-NOAUTH", (await HealthyAsync(server.EndPoint, check)).Detail, StringComparison.Ordinal);

        await using var proxy = await ProxyEnvironment.StartAsync(CheckedPool.Config(EngineKind.Sockets, check with { Password = "wrong" }, server.EndPoint));
        Assert.StartsWith("not +OK: -WRONGPASS", (await proxy.UntilDownAsync("a", CheckResult.Protocol)).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Http_Nginx_IsFollowed()
    {
        await using var nginx = await NginxProcess.StartAsync(new NginxSite("plain"));
        var check = CheckedPool.Often(HealthCheckKind.Http);

        Assert.Equal("HTTP/1.1 200 OK", (await HealthyAsync(nginx["plain"], check with { Host = "x.example.com", ExpectBody = "host=x.example.com" })).Detail);
        await using (var proxy = await ProxyEnvironment.StartAsync(CheckedPool.Config(EngineKind.Sockets, check with { ExpectStatus = "204" }, nginx["plain"])))
        {
            Assert.Equal("unexpected status: HTTP/1.1 200 OK", (await proxy.UntilDownAsync("a", CheckResult.Protocol)).Detail);
        }

        await FollowAsync(nginx["plain"], nginx.Process, check, "HTTP/1.1 200 OK");
    }

    [Fact]
    public async Task TlsAndHttps_Nginx_AreVerified()
    {
        using var folder = new TempFolder();
        var ca = folder.Write("ca.pem", TestCertificates.Shared.Root.ExportCertificatePem());
        await using var nginx = await NginxProcess.StartAsync(new NginxSite("tls", TestCertificates.Shared.Issue("app.example.com")), new NginxSite("plain"));
        var tls = CheckedPool.Often(HealthCheckKind.Tls) with { ServerName = "app.example.com", TrustedCertificates = ca, Timeout = TimeSpan.FromSeconds(5) };

        Assert.NotNull((await HealthyAsync(nginx["tls"], tls)).CertificateExpires);
        await HealthyAsync(nginx["tls"], tls with { Kind = HealthCheckKind.Https, ExpectBody = "sni=app.example.com tls=TLSv1.3 host=app.example.com" });
        foreach (var (check, detail) in new[]
        {
            (tls with { ServerName = "other.example.com" }, "the certificate is for another name"),
            (tls with { TrustedCertificates = null }, "the certificate is not trusted"),
            (tls with { Kind = HealthCheckKind.Https, TrustedCertificates = null }, "the certificate is not trusted"),
        })
        {
            await using var proxy = await ProxyEnvironment.StartAsync(CheckedPool.Config(EngineKind.Sockets, check, nginx["tls"]));
            Assert.StartsWith(detail, (await proxy.UntilDownAsync("a", CheckResult.Tls)).Detail, StringComparison.Ordinal);
        }

        await using var wrong = await ProxyEnvironment.StartAsync(CheckedPool.Config(EngineKind.Sockets, tls, nginx["plain"]));
        await wrong.UntilDownAsync("a", CheckResult.Tls);
    }

    [Fact]
    public async Task Tls_NamesThatArePassedOn_AreLookedForInItsCertificates()
    {
        using var folder = new TempFolder();
        var ca = folder.Write("ca.pem", TestCertificates.Shared.Root.ExportCertificatePem());
        await using var nginx = await NginxProcess.StartAsync(new NginxSite("tls", TestCertificates.Shared.Issue("app.example.com", "*.w.example.com")));
        var tls = CheckedPool.Often(HealthCheckKind.Tls) with { ServerName = "app.example.com", TrustedCertificates = ca, Timeout = TimeSpan.FromSeconds(5) };
        var config = CheckedPool.Config(EngineKind.Sockets, tls, nginx["tls"]);
        await using var proxy = await ProxyEnvironment.StartAsync(Passing("app.example.com", "shop.example.com", "*.w.example.com", "*.v.example.com", "~^x", "mail.*"));

        await Wait.UntilAsync(() => Uncovered() is ["*.v.example.com", "shop.example.com"], "both names to be asked for");
        Assert.Equal(DestinationHealth.Healthy, proxy.Member("a").Health);
        Assert.Single(proxy.Log.Events, e => e.Message.Contains("no certificate for shop.example.com", StringComparison.Ordinal));

        // Routes that no longer send it there, and one that ends TLS here, whose clients never see that certificate.
        Assert.True((await proxy.ReloadAsync(Passing("app.example.com"))).IsApplied);
        await Wait.UntilAsync(() => Uncovered() is [], "nothing to be missed");

        StreamProxyConfig Passing(params string[] names)
            => config with { Routes = new Dictionary<string, RouteConfig> { ["r"] = new() { ClusterId = "c", Match = new RouteMatch { Sni = names } } } };

        string[]? Uncovered() => proxy.Member("a").LastCheck?.UncoveredNames?.Order(StringComparer.Ordinal).ToArray();
    }

    [Fact]
    public async Task Tls_ServerWithACertificateForEachName_LacksNone()
    {
        var certificates = new[] { "a.example.com", "b.example.com", "www.example.org" }.ToDictionary(name => name, name => TestCertificates.Shared.Issue(name).Leaf);
        var asked = new ConcurrentDictionary<string, int>();
        await using var server = new ScriptedUpstream(async socket =>
        {
            await using var stream = new SslStream(new NetworkStream(socket));
            try
            {
                await stream.AuthenticateAsServerAsync((_, hello, _, _) =>
                {
                    asked.AddOrUpdate(hello.ServerName, 1, (_, count) => count + 1);
                    return ValueTask.FromResult(new SslServerAuthenticationOptions { ServerCertificate = certificates[hello.ServerName] });
                }, null);
                await stream.CopyToAsync(Stream.Null);
            }
            catch (IOException)
            {
                // The check has seen enough.
            }
        });
        var tls = CheckedPool.Often(HealthCheckKind.Tls) with { ServerName = "a.example.com", Verify = false, Timeout = TimeSpan.FromSeconds(5) };
        await using var proxy = await ProxyEnvironment.StartAsync(CheckedPool.Config(EngineKind.Sockets, tls, server.EndPoint) with
        {
            Routes = new Dictionary<string, RouteConfig> { ["r"] = new() { ClusterId = "c", Match = new RouteMatch { Sni = ["a.example.com", "b.example.com", "*.example.org"] } } },
        });

        await Wait.UntilAsync(() => asked.GetValueOrDefault("b.example.com") > 1 && asked.GetValueOrDefault("www.example.org") > 1, "all names to be asked for in turn");

        Assert.Empty(proxy.Member("a").LastCheck!.UncoveredNames!);
        Assert.Equal(DestinationHealth.Healthy, proxy.Member("a").Health);
    }

    [Fact]
    public async Task AnyKind_ServerSpeaksSomethingElse_IsDown()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var nginx = await NginxProcess.StartAsync(new NginxSite("plain"));
        foreach (var (kind, server) in new[]
        {
            (HealthCheckKind.Http, redis.EndPoint), (HealthCheckKind.PostgreSql, redis.EndPoint), (HealthCheckKind.MySql, redis.EndPoint),
            (HealthCheckKind.Smtp, redis.EndPoint), (HealthCheckKind.Redis, nginx["plain"]), (HealthCheckKind.PostgreSql, nginx["plain"]),
        })
        {
            await using var proxy = await ProxyEnvironment.StartAsync(CheckedPool.Config(EngineKind.Sockets, CheckedPool.Often(kind), server));

            // One that waits for the client to speak differs from one that is silent in nothing but time.
            await proxy.UntilDownAsync("a", CheckResult.Protocol, CheckResult.Timeout);
        }
    }

    [Fact]
    public async Task SendExpect_Redis_IsFollowed()
    {
        await using var server = await RedisServer.StartAsync();
        var check = CheckedPool.Often(HealthCheckKind.SendExpect) with
        {
            Steps =
            [
                new() { Send = "PING\r\n" }, new() { Expect = "+PONG" }, new() { Send = "INFO replication\\r\\n" }, new() { Expect = "~role:(master|slave)" },
                new() { Send = "*1\\x0d\\x0a$4\\r\\nECHO\\r\\n" }, new() { Expect = "~-ERR wrong number" },
            ],
        };

        await FollowAsync(server.EndPoint, server.Process, check, "-ERR wrong number");
    }

    /// <summary>Checks once over with a good end.</summary>
    private static async Task<CheckReport> HealthyAsync(EndPoint server, ActiveHealthCheckConfig check)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(CheckedPool.Config(EngineKind.Sockets, check with { InitialState = HealthCheckInitialState.Down }, server));
        return await proxy.UntilUpAsync("a");
    }

    private static async Task FollowAsync(EndPoint server, ChildProcess process, ActiveHealthCheckConfig check, string detail)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(CheckedPool.Config(EngineKind.Sockets, check with { InitialState = HealthCheckInitialState.Down }, server));
        Assert.Contains(detail, (await proxy.UntilUpAsync("a")).Detail, StringComparison.Ordinal);

        // The kernel still accepts for it.
        process.Signal(SigStop);
        Assert.Contains("within 0.7 s", (await proxy.UntilDownAsync("a", CheckResult.Timeout)).Detail, StringComparison.Ordinal);
        process.Signal(SigCont);
        await proxy.UntilUpAsync("a");

        process.Signal(SigKill);
        Assert.Equal("refused", (await proxy.UntilDownAsync("a", CheckResult.Connect)).Detail);
    }
}
