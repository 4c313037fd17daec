using System.Net;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.StartTls;

/// <summary>Two real MariaDB servers for all tests of a class, one with TLS of its own, with the same users; and a certificate for TLS that ends in the proxy.</summary>
public sealed class MySqlServers : IAsyncLifetime
{
    public const string Password = "grün und geheim";

    private const string Users = """
        DELETE FROM mysql.global_priv WHERE User = '';
        FLUSH PRIVILEGES;
        CREATE DATABASE d;
        CREATE USER native@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('grün und geheim');
        CREATE USER curve@'%' IDENTIFIED VIA ed25519 USING PASSWORD('grün und geheim');
        CREATE USER open@'%';
        GRANT ALL ON *.* TO native@'%', curve@'%', open@'%';
        """;

    private readonly TempFolder _folder = new();

    /// <summary>File of the root that all certificates go back to.</summary>
    public string Root { get; private set; } = "";

    /// <summary>For localhost, by which the client verifies.</summary>
    public (string Path, string KeyPath) Certificate { get; private set; }

    /// <summary>For other.example.com.</summary>
    public (string Path, string KeyPath) OtherCertificate { get; private set; }

    public MariaDbServer Plain { get; private set; } = null!;

    /// <summary>Has TLS, as db.internal, and takes nobody without.</summary>
    public MariaDbServer Secure { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Root = _folder.Write("root.pem", TestCertificates.Shared.Root.ExportCertificatePem());
        Certificate = TestCertificates.Shared.Issue("localhost").WritePem(_folder);
        OtherCertificate = TestCertificates.Shared.Issue("other.example.com").WritePem(_folder, "other.pem", "other.key");
        var (path, keyPath) = TestCertificates.Shared.Issue("db.internal").WritePem(_folder, "db.pem", "db.key");
        string[] all = ["--plugin-load-add=auth_ed25519", "--max-allowed-packet=128M", "--character-set-server=utf8mb4"];
        var started = await Task.WhenAll(MariaDbServer.StartAsync(all), MariaDbServer.StartAsync([.. all, $"--ssl-cert={path}", $"--ssl-key={keyPath}"]));
        (Plain, Secure) = (started[0], started[1]);
        await ExecuteAsync(Plain.EndPoint, Users);
        await ExecuteAsync(Secure.EndPoint, Users + "SET GLOBAL require_secure_transport = ON;");
    }

    public async Task DisposeAsync()
    {
        await (Plain?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (Secure?.DisposeAsync() ?? ValueTask.CompletedTask);
        _folder.Dispose();
    }

    /// <summary>Runs the real client over TCP.</summary>
    public static Task<ProcessResult> ClientAsync(IPEndPoint server, byte[]? input, params string[] arguments) => ChildProcess.RunAsync(
        PeerProgram.Find("mariadb", "mariadb-server"),
        ["--no-defaults", "--protocol=tcp", "--host=localhost", $"--port={server.Port}", "--default-character-set=utf8mb4", "--connect-timeout=30", "--max-allowed-packet=128M", "-N", .. arguments],
        input,
        environment: new Dictionary<string, string?> { ["LANG"] = "C.UTF-8" });

    private static async Task ExecuteAsync(IPEndPoint server, string sql)
    {
        var result = await ClientAsync(server, System.Text.Encoding.UTF8.GetBytes(sql), "--user=root");
        Assert.True(result.ExitCode == 0, result.ToString());
    }
}
