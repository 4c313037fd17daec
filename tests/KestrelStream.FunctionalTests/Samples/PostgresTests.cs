using System.Net;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Npgsql;
using Xunit;

namespace KestrelStream.FunctionalTests.Samples;

/// <summary>samples/postgres: two real servers, Npgsql with direct TLS, and what openssl says of the port.</summary>
public sealed class PostgresTests : IAsyncLifetime
{
    private readonly TempFolder _folder = new();
    private readonly List<PostgresServer> _databases = [];
    private ServerProcess? _server;
    private string _root = "";

    private IPEndPoint EndPoint => _server!.Listener("public");

    public async Task InitializeAsync()
    {
        _root = Sample.WriteRoot(_folder);
        var (path, keyPath) = TestCertificates.Shared.Issue("db1.example.com", "db2.example.com").WritePem(_folder);
        _databases.AddRange(await Task.WhenAll(PostgresServer.StartAsync("db1"), PostgresServer.StartAsync("db2")));
        _server = await Sample.StartServerAsync("postgres", new()
        {
            ["StreamProxy:Listeners:public:Address"] = "127.0.0.1:0",
            ["StreamProxy:Certificates:db:Path"] = path,
            ["StreamProxy:Certificates:db:KeyPath"] = keyPath,
            ["StreamProxy:Clusters:db1:Destinations:a:Address"] = _databases[0].EndPoint.ToString(),
            ["StreamProxy:Clusters:db2:Destinations:a:Address"] = _databases[1].EndPoint.ToString(),
        });
    }

    public async Task DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        foreach (var database in _databases)
        {
            await database.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Postgres_DirectTls_EachNameReachesItsServer()
    {
        foreach (var name in new[] { "db1", "db2" })
        {
            await using var source = CreateSource($"{name}.example.com");
            await using var command = source.CreateCommand("SHOW cluster_name");
            Assert.Equal(name, await command.ExecuteScalarAsync());
        }
    }

    [Fact]
    public async Task Postgres_DirectTls_LargeResultsAndCopyArriveWhole()
    {
        await using var source = CreateSource("db1.example.com");
        await using var connection = await source.OpenConnectionAsync();
        await using (var create = new NpgsqlCommand("CREATE TEMP TABLE t (n int, s text)", connection))
        {
            await create.ExecuteNonQueryAsync();
        }

        const int Rows = 50_000;
        await using (var import = await connection.BeginBinaryImportAsync("COPY t FROM STDIN (FORMAT BINARY)"))
        {
            for (var row = 0; row < Rows; row++)
            {
                await import.StartRowAsync();
                await import.WriteAsync(row);
                await import.WriteAsync(new string('x', row % 200));
            }

            await import.CompleteAsync();
        }

        await using var query = new NpgsqlCommand("SELECT n, s FROM t ORDER BY n", connection);
        await using var reader = await query.ExecuteReaderAsync();
        var count = 0;
        while (await reader.ReadAsync())
        {
            Assert.Equal(count, reader.GetInt32(0));
            Assert.Equal(count % 200, reader.GetString(1).Length);
            count++;
        }

        Assert.Equal(Rows, count);
    }

    [Fact]
    public async Task Postgres_Alpn_IsAgreed()
    {
        var result = await OpenSslClient.HandshakeAsync(EndPoint, "db1.example.com", "-alpn", "postgresql", "-CAfile", _root, "-verify_return_error");

        Assert.Equal(0, result.ExitCode);
        Assert.Contains("ALPN protocol: postgresql", result.Output);
        Assert.Contains("TLSv1.3", result.Output);
    }

    [Fact]
    public async Task Postgres_OldVersions_AreRefused()
    {
        foreach (var version in new[] { "-tls1", "-tls1_1" })
        {
            // Level 0, or the client itself would refuse.
            var result = await OpenSslClient.HandshakeAsync(EndPoint, "db1.example.com", version, "-cipher", "ALL:@SECLEVEL=0");
            Assert.NotEqual(0, result.ExitCode);
            Assert.Contains("protocol version", result.Error);
        }
    }

    [Fact]
    public async Task Postgres_Tls12_ServerOrderOfCiphersDecides()
    {
        var result = await OpenSslClient.HandshakeAsync(
            EndPoint, "db1.example.com", "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384");

        // HIGH puts the 256 bits first; the client asked for 128 first.
        Assert.Contains("Cipher is ECDHE-ECDSA-AES256-GCM-SHA384", result.Output);
    }

    [Fact]
    public async Task Postgres_CipherThatOnlyTheStringHas_IsAgreed()
    {
        // In HIGH, and not among those that .NET offers by itself.
        var result = await OpenSslClient.HandshakeAsync(EndPoint, "db1.example.com", "-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305");

        Assert.Contains("Cipher is ECDHE-ECDSA-CHACHA20-POLY1305", result.Output);
    }

    [Theory]
    [InlineData("aNULL:@SECLEVEL=0")]
    [InlineData("eNULL:@SECLEVEL=0")]
    public async Task Postgres_CiphersOutsideTheString_AreRefused(string ciphers)
    {
        var result = await OpenSslClient.HandshakeAsync(EndPoint, "db1.example.com", "-tls1_2", "-cipher", ciphers);

        Assert.NotEqual(0, result.ExitCode);
        Assert.Contains("handshake failure", result.Error);
    }

    private NpgsqlDataSource CreateSource(string name)
    {
        var builder = new NpgsqlDataSourceBuilder(new NpgsqlConnectionStringBuilder
        {
            Host = EndPoint.Address.ToString(),
            Port = EndPoint.Port,
            Username = "postgres",
            Database = "postgres",
            SslMode = SslMode.Require,
            SslNegotiation = SslNegotiation.Direct,
            Timeout = 30,
            Pooling = false,
        }.ConnectionString);

        // The name has no address here: it goes into the ClientHello, and the certificate must be for it.
        builder.UseSslClientAuthenticationOptionsCallback(options =>
        {
            options.TargetHost = name;
            options.RemoteCertificateValidationCallback = null;
            options.CertificateChainPolicy = new()
            {
                TrustMode = System.Security.Cryptography.X509Certificates.X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { TestCertificates.Shared.Root },
                RevocationMode = System.Security.Cryptography.X509Certificates.X509RevocationMode.NoCheck,
            };
        });
        return builder.Build();
    }
}
