using System.Text;
using KestrelStream.Configuration;
using KestrelStream.FunctionalTests.Health;
using KestrelStream.Health.Checks;
using KestrelStream.Model;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelStream.FunctionalTests.StartTls;

/// <summary>TLS of the mariadb client ends here, before real MariaDB servers with TLS of their own and without.</summary>
public sealed class MySqlTests(MySqlServers servers) : IClassFixture<MySqlServers>
{
    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Client_EachMethod_LogsInOrIsToldWhyNot(EngineKind engine, TlsEngineKind tlsEngine)
    {
        foreach (var isSecure in new[] { false, true })
        {
            await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, isSecure));
            var number = 0;
            foreach (var user in new[] { "native", "curve" })
            {
                var good = await QueryAsync(proxy, user, "SELECT CURRENT_USER(), CONNECTION_ID() > 0; SHOW STATUS LIKE 'Ssl_version'", "--ssl-verify-server-cert");
                Assert.True(good.ExitCode == 0, good.ToString());

                // Only a server that sees TLS can say so.
                Assert.Equal($"{user}@%\t1\nSsl_version\t{(isSecure ? "TLSv1.3" : "")}", good.Output.Trim('\n'));
                Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync(number++));

                var wrong = await ClientAsync(proxy, $"--user={user}", "--password=wrong", "-e", "SELECT 1");
                Assert.NotEqual(0, wrong.ExitCode);
                Assert.Contains($"ERROR 1045 (28000): Access denied for user '{user}'@'localhost' (using password: YES)", wrong.Error);
                await proxy.EndReasonAsync(number++);
            }

            Assert.All(proxy.Sessions, session => Assert.Equal("db", session.Route));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Client_LargeResultsAndInserts_ArriveWhole(EngineKind engine, TlsEngineKind tlsEngine)
    {
        using var folder = new TempFolder();
        var lines = string.Concat(Enumerable.Range(0, 200_000).Select(i => $"{i}\tline {i} with some more text behind it, so that it is longer\n"));
        var file = folder.Write("lines.txt", lines);
        foreach (var isSecure in new[] { false, true })
        {
            await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, isSecure));

            var result = await QueryAsync(proxy, "curve", "SELECT REPEAT('x', 1048576) FROM d.seq_1_to_64");
            Assert.True(result.ExitCode == 0, result.Error);
            Assert.Equal(64 * (1048576 + 1), result.Output.TrimEnd('\n').Length + 1);
            Assert.True(result.Output.AsSpan().IndexOfAnyExcept('x', '\n') < 0);

            // Longer than a packet can be: it is cut into two.
            var text = new string('y', 20_000_000);
            var insert = await ClientAsync(
                proxy,
                Encoding.UTF8.GetBytes($"CREATE TEMPORARY TABLE d.t (a LONGTEXT); INSERT INTO d.t VALUES ('{text}'); SELECT LENGTH(a), a = REPEAT('y', 20000000) FROM d.t;"),
                "--user=native", $"--password={MySqlServers.Password}");
            Assert.True(insert.ExitCode == 0, insert.Error);
            Assert.Equal("20000000\t1", insert.Output.Trim());

            var load = await QueryAsync(
                proxy, "native", $"CREATE TEMPORARY TABLE d.l (i INT, t TEXT); LOAD DATA LOCAL INFILE '{file}' INTO TABLE d.l; SELECT COUNT(*), SUM(i) FROM d.l", "--local-infile=1");
            Assert.True(load.ExitCode == 0, load.Error);
            Assert.Equal("200000\t19999900000", load.Output.Trim());

            var prepared = await QueryAsync(proxy, "native", "PREPARE s FROM 'SELECT ? + 1'; SET @a = 41; EXECUTE s USING @a");
            Assert.Equal("42", prepared.Output.Trim());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task FiftyClients_AtOnce_AllQueriesSucceed(EngineKind engine, TlsEngineKind tlsEngine)
    {
        foreach (var isSecure in new[] { false, true })
        {
            await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, isSecure));

            // Twice fifty logins at once.
            var result = await ChildProcess.RunAsync(
                PeerProgram.Find("mariadb-slap", "mariadb-server"),
                [
                    "--no-defaults", "--protocol=tcp", "--host=localhost", $"--port={proxy.EndPoint().Port}", "--user=open", "--ssl",
                    "--concurrency=50", "--iterations=2", "--number-of-queries=1000", "--query=SELECT 1", "--create-schema=mysql",
                ]);

            Assert.True(result.ExitCode == 0 && result.Error.Length == 0, result.ToString());
            Assert.True(proxy.Sessions.Count >= 100, $"{proxy.Sessions.Count} sessions");
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Client_WithoutTls_IsRefusedByAnErrorUnlessARouteTakesIt(EngineKind engine)
    {
        var config = Config(engine, TlsEngineKind.Auto, isSecure: false);
        await using var strict = await ProxyEnvironment.StartAsync(config);
        var refused = await MySqlServers.ClientAsync(strict.EndPoint(), null, "--skip-ssl", "--user=open", "-e", "SELECT 1");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains("ERROR 3159 (HY000): Connections using insecure transport are prohibited", refused.Error);
        Assert.Equal(SessionEndReason.NoRoute, await strict.EndReasonAsync());

        await using var open = await ProxyEnvironment.StartAsync(config.WithRoutes(
            ("db", MySqlScene.Route("own")), ("clear", new RouteConfig { Match = new RouteMatch { Protocols = [ClientProtocol.ServerFirst] }, ClusterId = "db" })));
        foreach (var user in new[] { "native", "curve" })
        {
            var taken = await MySqlServers.ClientAsync(open.EndPoint(), null, "--skip-ssl", $"--user={user}", $"--password={MySqlServers.Password}", "-e", "SELECT 1");
            Assert.True(taken.ExitCode == 0, taken.ToString());
            Assert.Equal("clear", open.Sessions.Last().Route);
        }

        Assert.Equal(0, (await QueryAsync(open, "native", "SELECT 1")).ExitCode);
        Assert.Equal("db", open.Sessions.Last().Route);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Openssl_EachName_GetsItsCertificateAndOthersAnAlert(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine, isSecure: false).WithRoutes(
            ("own", MySqlScene.Route("own", "localhost")), ("other", MySqlScene.Route("other", "other.example.com"))));
        foreach (var (name, route) in new[] { ("localhost", "own"), ("other.example.com", "other") })
        {
            var good = await OpenSslClient.HandshakeAsync(proxy.EndPoint(), name, "-starttls", "mysql", "-CAfile", servers.Root, "-verify_return_error");
            Assert.True(good.ExitCode == 0, good.ToString());
            Assert.Contains(name, OpenSslClient.PeerCertificate(good).Subject, StringComparison.Ordinal);
            Assert.Equal((route, name), (proxy.Sessions.Last().Route, proxy.Sessions.Last().ServerName));
        }

        var unknown = await OpenSslClient.HandshakeAsync(proxy.EndPoint(), "unknown.example.com", "-starttls", "mysql");
        Assert.NotEqual(0, unknown.ExitCode);
        Assert.Contains("unrecognized name", unknown.Error);
        Assert.Equal(SessionEndReason.NoRoute, await proxy.EndReasonAsync(2));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ClientNetworks_ChooseTheCluster_AndItsRoutesTheName(EngineKind engine)
    {
        var config = Config(engine, TlsEngineKind.Auto, isSecure: false);
        var near = MySqlScene.Route("own") with { Match = new RouteMatch { ClientNetworks = ["127.0.0.0/8"] } };
        config = config.WithRoutes(("near", near), ("far", MySqlScene.Route("other", "localhost", "other.example.com") with { ClusterId = "far" }));
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig>(config.Clusters)
            {
                ["far"] = config.Clusters["db"] with { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = ScriptedUpstream.Nobody().ToString() } } },
            },
        });

        // By name it would be the other route, by its address it is connected with this one's cluster.
        var result = await OpenSslClient.HandshakeAsync(proxy.EndPoint(), "localhost", "-starttls", "mysql", "-CAfile", servers.Root, "-verify_return_error");

        Assert.True(result.ExitCode == 0, result.ToString());
        Assert.Equal("near", proxy.Sessions.Single().Route);
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Destination_WithoutTlsOrWithAnotherCertificate_IsNotTrusted(EngineKind engine, TlsEngineKind tlsEngine)
    {
        foreach (var (destination, name) in new[] { (servers.Plain, "db.internal"), (servers.Secure, "other.internal") })
        {
            await using var proxy = await ProxyEnvironment.StartAsync(
                MySqlScene.Config(servers, engine, tlsEngine, destination.EndPoint).WithUpstreamTls(servers, name));

            Assert.NotEqual(0, (await QueryAsync(proxy, "native", "SELECT 1")).ExitCode);
            Assert.Equal(SessionEndReason.UpstreamTlsFailed, await proxy.EndReasonAsync());
        }
    }

    [Fact]
    public async Task Check_OfAClusterWithTls_AsksForTheGreetingAlone()
    {
        var config = Config(EngineKind.Sockets, TlsEngineKind.Auto, isSecure: true);
        var check = CheckedPool.Often(HealthCheckKind.MySql) with { InitialState = HealthCheckInitialState.Down };
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig> { ["db"] = config.Clusters["db"] with { HealthCheck = new HealthCheckConfig { Active = check } } },
        });

        var member = proxy.Services.GetRequiredService<IProxyState>().Current!.Clusters["db"].Model.Destinations.Single();
        await Wait.UntilAsync(() => member is { IsUpByChecks: true, LastCheck.Result: CheckResult.Healthy }, "a good check");
        Assert.Equal(0, (await QueryAsync(proxy, "native", "SELECT 1")).ExitCode);
    }

    private StreamProxyConfig Config(EngineKind engine, TlsEngineKind tlsEngine, bool isSecure)
    {
        var config = MySqlScene.Config(servers, engine, tlsEngine, (isSecure ? servers.Secure : servers.Plain).EndPoint);
        return isSecure ? config.WithUpstreamTls(servers) : config;
    }

    private Task<ProcessResult> QueryAsync(ProxyEnvironment proxy, string user, string sql, params string[] more)
        => ClientAsync(proxy, [$"--user={user}", $"--password={MySqlServers.Password}", "-e", sql, .. more]);

    private Task<ProcessResult> ClientAsync(ProxyEnvironment proxy, params string[] arguments) => ClientAsync(proxy, null, arguments);

    private Task<ProcessResult> ClientAsync(ProxyEnvironment proxy, byte[]? input, params string[] arguments)
        => MySqlServers.ClientAsync(proxy.EndPoint(), input, ["--ssl", $"--ssl-ca={servers.Root}", .. arguments]);
}
