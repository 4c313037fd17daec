using System.Net.Sockets;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Npgsql;
using Xunit;

namespace KestrelStream.FunctionalTests.StartTls;

/// <summary>PostgreSQL by name: real servers, one passed through and one behind TLS that ends here; libpq, Npgsql and pgbench before them.</summary>
public sealed class PostgreSqlTests(PostgreSqlServers servers) : IClassFixture<PostgreSqlServers>
{
    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Psql_VerifyFull_EachNameReachesItsServer(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine));
        foreach (var (host, name, route) in new[] { ("own.example.com", "own", "own"), ("ends.example.com", "plain", "ends") })
        {
            foreach (var mode in new[] { "prefer", "require", "verify-full" })
            {
                var result = await PsqlAsync(proxy, host, mode, "SHOW cluster_name");
                Assert.True(result is { ExitCode: 0 } && result.Output.Trim() == name, $"{host}, {mode}: {result}");
                Assert.Equal((route, host), (proxy.Sessions.Last().Route, proxy.Sessions.Last().ServerName));
            }
        }

        // Only a server that sees TLS can say so.
        Assert.Equal("t", (await PsqlAsync(proxy, "own.example.com", "require", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).Output.Trim());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Psql_WithoutTls_GoesWhereARouteTakesItAndNowhereElse(EngineKind engine, TlsEngineKind tlsEngine)
    {
        var config = Config(engine, tlsEngine);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig>(config.Routes)
            {
                ["clear"] = new() { Match = new RouteMatch { Protocols = [ClientProtocol.PostgreSql] }, ClusterId = "plain" },
            },
        });
        var allowed = await PsqlAsync(proxy, "own.example.com", "disable", "SHOW cluster_name");
        Assert.Equal("plain", allowed.Output.Trim());
        Assert.Equal("clear", proxy.Sessions.Last().Route);

        await using var strict = await ProxyEnvironment.StartAsync(config);
        var refused = await PsqlAsync(strict, "own.example.com", "disable", "SHOW cluster_name");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Equal(SessionEndReason.NoRoute, await strict.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Psql_UnknownName_IsRefusedByAnAlert(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine));

        var result = await PsqlAsync(proxy, "other.example.com", "require", "SELECT 1");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("unrecognized name", result.Error);
        Assert.Equal(SessionEndReason.NoRoute, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Npgsql_CancelledCommand_IsCancelledOnTheServerThatRunsIt(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, tlsEngine));
        foreach (var host in new[] { "own.example.com", "ends.example.com" })
        {
            await using var source = Source(proxy, host);
            await using var connection = await source.OpenConnectionAsync();
            await using var command = new NpgsqlCommand("SELECT pg_sleep(60)", connection);
            using var late = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));

            var error = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => command.ExecuteScalarAsync(late.Token));

            // By the server, not by a broken connection: it is good for more.
            Assert.Equal("57014", Assert.IsType<PostgresException>(error.InnerException).SqlState);
            command.CommandText = "SELECT 1";
            Assert.Equal(1, await command.ExecuteScalarAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Pgbench_FiftyConnections_AllTransactionsSucceed(EngineKind engine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, TlsEngineKind.Auto));
        var pgbench = Directory.GetFiles("/usr/lib/postgresql", "pgbench", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Last();
        foreach (var host in new[] { "own.example.com", "ends.example.com" })
        {
            var environment = new Dictionary<string, string?>
            {
                ["PGHOST"] = host, ["PGHOSTADDR"] = "127.0.0.1", ["PGPORT"] = $"{proxy.EndPoint().Port}", ["PGUSER"] = "postgres", ["PGDATABASE"] = "postgres",
                ["PGSSLMODE"] = "verify-full", ["PGSSLROOTCERT"] = servers.Root,
            };
            Assert.Equal(0, (await ChildProcess.RunAsync(pgbench, ["-i", "-q", "-s", "1"], environment: environment)).ExitCode);

            // -C: a connection for each transaction, so many handshakes; then fifty that stay.
            foreach (var mode in new string[][] { ["-C", "-t", "4"], ["-t", "40"] })
            {
                var result = await ChildProcess.RunAsync(pgbench, ["-n", "-S", "-c", "50", "-j", "2", .. mode], environment: environment);
                Assert.True(result.ExitCode == 0, result.ToString());
                Assert.Contains("number of failed transactions: 0 (0.000%)", result.Output);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task BytesBehindTheRequest_AreAViolation(EngineKind engine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, TlsEngineKind.Auto));
        byte[] ssl = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
        byte[] gss = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30];
        var number = 0;
        foreach (var bytes in new byte[][] { [.. ssl, 1], [.. ssl, .. ClientHelloBuilder.Browser("own.example.com").Build()], [.. gss, .. ssl] })
        {
            using var client = await proxy.ConnectAsync();
            await client.SendAllAsync(bytes);
            Assert.True(await client.EndsWithResetAsync());
            Assert.Equal(SessionEndReason.ProtocolViolation, await proxy.EndReasonAsync(number++));
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task RequestByteByByte_AndGssBeforeIt_AreAnswered(EngineKind engine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, TlsEngineKind.Auto));
        using var client = await proxy.ConnectAsync();

        foreach (var b in new byte[] { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30 })
        {
            await client.SendAllAsync(new[] { b });
        }

        Assert.Equal("N"u8.ToArray(), await client.ReceiveExactlyAsync(1));
        foreach (var b in new byte[] { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f })
        {
            await client.SendAllAsync(new[] { b });
        }

        Assert.Equal("S"u8.ToArray(), await client.ReceiveExactlyAsync(1));
        await client.SendAllAsync(ClientHelloBuilder.Browser("own.example.com").Build());
        Assert.InRange((await client.ReceiveExactlyAsync(1))[0], 0x15, 0x16);
        Assert.Equal("own", proxy.Sessions.Single().Route);
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task NoTlsBehindTheRequest_IsAViolation(EngineKind engine)
    {
        await using var proxy = await ProxyEnvironment.StartAsync(Config(engine, TlsEngineKind.Auto));
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync(new byte[] { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f });
        Assert.Equal("S"u8.ToArray(), await client.ReceiveExactlyAsync(1));
        await client.SendAllAsync("user"u8.ToArray());

        Assert.True(await client.EndsWithResetAsync());
        Assert.Equal(SessionEndReason.ProtocolViolation, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task DestinationWithoutTls_BehindAPassthroughRoute_EndsTheSession(EngineKind engine)
    {
        var config = Config(engine, TlsEngineKind.Auto);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Routes = new Dictionary<string, RouteConfig> { ["own"] = config.Routes["own"] with { ClusterId = "plain" } },
        });

        var result = await PsqlAsync(proxy, "own.example.com", "require", "SELECT 1");

        Assert.NotEqual(0, result.ExitCode);
        Assert.Equal(SessionEndReason.UpstreamTlsFailed, await proxy.EndReasonAsync());
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ClientThatFallsSilent_IsClosedAtThePrereadTimeout(EngineKind engine)
    {
        var config = Config(engine, TlsEngineKind.Auto);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:0", PrereadTimeout = TimeSpan.FromMilliseconds(500) } },
        });
        using var client = await proxy.ConnectAsync();

        await client.SendAllAsync(new byte[] { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f });
        Assert.Equal("S"u8.ToArray(), await client.ReceiveExactlyAsync(1));

        Assert.Empty(await client.ReceiveToEndAsync());
        Assert.Equal(SessionEndReason.PrereadTimeout, await proxy.EndReasonAsync());
    }

    private Task<ProcessResult> PsqlAsync(ProxyEnvironment proxy, string host, string mode, string sql) => ChildProcess.RunAsync(
        PeerProgram.Find("psql", "postgresql"),
        ["-XAtc", sql, $"host={host} hostaddr=127.0.0.1 port={proxy.EndPoint().Port} user=postgres dbname=postgres sslmode={mode} sslrootcert={servers.Root} connect_timeout=30"]);

    private static NpgsqlDataSource Source(ProxyEnvironment proxy, string host)
    {
        var builder = new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = proxy.EndPoint().Port,
            Username = "postgres",
            Database = "postgres",
            SslMode = SslMode.Require,
            Timeout = 30,
            Pooling = false,
        }.ConnectionString);
        builder.UseSslClientAuthenticationOptionsCallback(options => options.TargetHost = host);
        return builder.Build();
    }

    private StreamProxyConfig Config(EngineKind engine, TlsEngineKind tlsEngine) => new()
    {
        Engine = engine,
        Tls = new TlsConfig { Engine = tlsEngine },
        ShutdownTimeout = TimeSpan.FromSeconds(10),
        Listeners = new Dictionary<string, ListenerConfig> { ["public"] = new() { Address = "127.0.0.1:0" } },
        Certificates = new Dictionary<string, CertificateConfig> { ["ends"] = new() { Path = servers.Certificate.Path, KeyPath = servers.Certificate.KeyPath } },
        Routes = new Dictionary<string, RouteConfig>
        {
            ["own"] = new() { StartTls = StartTlsProtocol.PostgreSql, Match = new RouteMatch { Sni = ["own.example.com"] }, ClusterId = "own" },
            ["ends"] = new()
            {
                StartTls = StartTlsProtocol.PostgreSql,
                Match = new RouteMatch { Sni = ["ends.example.com"] },
                Tls = new RouteTlsConfig { Mode = TlsMode.Terminate, Certificates = ["ends"] },
                ClusterId = "plain",
            },
        },
        Clusters = new Dictionary<string, ClusterConfig>
        {
            ["own"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = servers.Own.EndPoint.ToString() } } },
            ["plain"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = servers.Plain.EndPoint.ToString() } } },
        },
    };
}
