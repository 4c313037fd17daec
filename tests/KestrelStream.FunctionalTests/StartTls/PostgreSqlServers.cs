using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.StartTls;

/// <summary>Two real servers for all tests of a class, one with TLS of its own, and a certificate for names whose TLS ends in the proxy.</summary>
public sealed class PostgreSqlServers : IAsyncLifetime
{
    private readonly TempFolder _folder = new();

    /// <summary>File of the root that all certificates go back to.</summary>
    public string Root { get; private set; } = "";

    /// <summary>For ends.example.com.</summary>
    public (string Path, string KeyPath) Certificate { get; private set; }

    /// <summary>Has TLS, as own.example.com.</summary>
    public PostgresServer Own { get; private set; } = null!;

    public PostgresServer Plain { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Root = _folder.Write("root.pem", TestCertificates.Shared.Root.ExportCertificatePem());
        Certificate = TestCertificates.Shared.Issue("ends.example.com").WritePem(_folder);
        var started = await Task.WhenAll(
            PostgresServer.StartAsync("own", tls: TestCertificates.Shared.Issue("own.example.com")), PostgresServer.StartAsync("plain"));
        (Own, Plain) = (started[0], started[1]);
    }

    public async Task DisposeAsync()
    {
        await Own.DisposeAsync();
        await Plain.DisposeAsync();
        _folder.Dispose();
    }
}
