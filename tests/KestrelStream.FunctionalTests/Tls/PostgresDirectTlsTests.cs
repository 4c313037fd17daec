using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Npgsql;
using Xunit;

namespace KestrelStream.FunctionalTests.Tls;

/// <summary>A real PostgreSQL without TLS of its own behind a route that ends it, and a real client that begins with TLS (<c>sslnegotiation=direct</c>).</summary>
public sealed class PostgresDirectTlsTests : IDisposable
{
    private readonly TlsScene _scene = new();

    public void Dispose() => _scene.Dispose();

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Npgsql_Direct_IsServed_AndKeepsItsSession(EngineKind engine, TlsEngineKind tlsEngine)
    {
        await using var database = await PostgresServer.StartAsync("behind");
        var root = _scene.Folder.Write("root.pem", TestCertificates.Shared.Root.ExportCertificatePem());
        var config = _scene.Config("localhost", tls => tls with { Alpn = ["postgresql"] }, engine: tlsEngine, on: engine);
        await using var proxy = await ProxyEnvironment.StartAsync(config with
        {
            Clusters = new Dictionary<string, ClusterConfig>
            {
                ["c"] = new() { Destinations = new Dictionary<string, DestinationConfig> { ["a"] = new() { Address = database.EndPoint.ToString() } } },
            },
        });
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = "localhost",
            Port = proxy.EndPoint().Port,
            Username = "postgres",
            SslMode = SslMode.VerifyFull,
            SslNegotiation = SslNegotiation.Direct,
            RootCertificate = root,
            Pooling = false,
            Timeout = 20,
        };
        for (var i = 0; i < 3; i++)
        {
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand("SELECT current_setting('cluster_name') || length(repeat('x', 1000000))", connection);
            Assert.Equal("behind1000000", await command.ExecuteScalarAsync());
        }

        Assert.All(proxy.Sessions.Where(session => session.Ended.IsCompleted), session => Assert.Equal(KestrelStream.Sessions.SessionEndReason.Completed, session.EndReason));
    }
}
