using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.StartTls;

/// <summary>
/// The methods of MySQL 8 before a server that sees no TLS: the real client, which knows of TLS, sends the password as it is, and the server must get it encrypted. MariaDB has no such
/// users, so the server is a script.
/// </summary>
public sealed class MySqlSha2Tests(MySqlServers servers) : IClassFixture<MySqlServers>
{
    private const string Password = "longer than twenty bytes: süß";

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task CachingSha2_CachedAndNot_LogsIn(EngineKind engine, TlsEngineKind tlsEngine)
    {
        foreach (var greets in new[] { MySqlServer.CachingSha2, "mysql_native_password" })
        {
            await using var server = new MySqlServer(MySqlServer.CachingSha2, Password, greets);
            await using var proxy = await ProxyEnvironment.StartAsync(MySqlScene.Config(servers, engine, tlsEngine, server.EndPoint));

            var full = await LogInAsync(proxy, Password);
            Assert.True(full.ExitCode == 0, $"{full}\n{server.Failure}");
            Assert.Equal((1, 1), (server.Decrypted, server.Queries));

            var wrong = await LogInAsync(proxy, "wrong");
            Assert.Contains("ERROR 1045 (28000): Access denied", wrong.Error);
            Assert.Equal(2, server.Decrypted);

            server.IsCached = true;
            var fast = await LogInAsync(proxy, Password);
            Assert.True(fast.ExitCode == 0, $"{fast}\n{server.Failure}");
            Assert.Equal((2, 2), (server.Decrypted, server.Queries));
            Assert.Null(server.Failure);
            Assert.Equal(SessionEndReason.Completed, await proxy.EndReasonAsync());
        }
    }

    [Theory]
    [MemberData(nameof(Engines.AllTls), MemberType = typeof(Engines))]
    public async Task Sha256_AskedForOrAtOnce_LogsIn(EngineKind engine, TlsEngineKind tlsEngine)
    {
        // The client logs in by the method of the greeting: with its password in the login, or once it is asked for it.
        foreach (var greets in new[] { MySqlServer.Sha256, MySqlServer.CachingSha2 })
        {
            await using var server = new MySqlServer(MySqlServer.Sha256, Password, greets);
            await using var proxy = await ProxyEnvironment.StartAsync(MySqlScene.Config(servers, engine, tlsEngine, server.EndPoint));

            var right = await LogInAsync(proxy, Password);
            Assert.True(right.ExitCode == 0, $"{right}\n{server.Failure}");
            Assert.Equal((1, 1), (server.Decrypted, server.Queries));

            Assert.Contains("ERROR 1045 (28000): Access denied", (await LogInAsync(proxy, "wrong")).Error);
            Assert.Null(server.Failure);
        }
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task ServerWithoutAKey_ItsErrorReachesTheClient(EngineKind engine)
    {
        await using var server = new MySqlServer(MySqlServer.CachingSha2, Password, MySqlServer.CachingSha2) { HasNoKey = true };
        await using var proxy = await ProxyEnvironment.StartAsync(MySqlScene.Config(servers, engine, TlsEngineKind.Auto, server.EndPoint));

        var result = await LogInAsync(proxy, Password);

        Assert.Contains("ERROR 1045 (28000): Access denied", result.Error);
        Assert.Null(server.Failure);
    }

    private Task<ProcessResult> LogInAsync(ProxyEnvironment proxy, string password)
        => MySqlServers.ClientAsync(proxy.EndPoint(), null, "--ssl", $"--ssl-ca={servers.Root}", "--user=me", $"--password={password}", "-e", "DO 1");
}
