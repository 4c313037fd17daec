using System.Net;

namespace KestrelStream.TestKit.Peers;

/// <summary>A real MariaDB on a free port of 127.0.0.1, with new folders for data and for temporary tables, over whose names two servers would fight.</summary>
public sealed class MariaDbServer : IAsyncDisposable
{
    private const string Package = "mariadb-server";
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(90);

    private readonly TempFolder _folder = new();
    private ChildProcess? _process;

    private MariaDbServer()
    {
    }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; private set; } = LoopbackPort.TakeEndPoint();

    /// <summary>The running server, to be stopped or paused.</summary>
    public ChildProcess Process => _process!;

    private string Data => _folder["data"];

    /// <summary>Makes a new data folder, starts a server on it and waits until it takes connections.</summary>
    public static async Task<MariaDbServer> StartAsync(params string[] options)
    {
        var server = new MariaDbServer();
        try
        {
            await server.InitializeAsync();
            for (var attempt = 1; !await server.TryStartAsync(options); attempt++)
            {
                if (attempt == 3)
                {
                    throw new InvalidOperationException($"MariaDB has not started:\n{server._process!.Error.Text}");
                }

                server.EndPoint = LoopbackPort.TakeEndPoint();
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _folder.Dispose();
    }

    /// <summary>It may run as root when it is told so; then nothing has to be given to another user.</summary>
    private static string[] AsUser => Environment.IsPrivilegedProcess ? ["--user=root"] : [];

    private async Task InitializeAsync()
    {
        var result = await ChildProcess.RunAsync(
            PeerProgram.Find("mariadb-install-db", Package),
            ["--no-defaults", $"--datadir={Data}", "--auth-root-authentication-method=normal", "--skip-test-db", .. AsUser],
            environment: new Dictionary<string, string?> { ["TMPDIR"] = _folder.Path },
            folder: "/",
            within: s_startTimeout);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"mariadb-install-db failed: {result}");
        }
    }

    private async Task<bool> TryStartAsync(string[] options)
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        _process = ChildProcess.Start(
            PeerProgram.Find("mariadbd", Package),
            [
                "--no-defaults", $"--datadir={Data}", "--bind-address=127.0.0.1", $"--port={EndPoint.Port}", $"--socket={_folder["sock"]}", $"--pid-file={_folder["pid"]}", $"--tmpdir={_folder.Path}",
                "--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", .. AsUser, .. options,
            ],
            folder: "/");
        return await _process.Error.WaitForAsync(line => line.Contains("ready for connections", StringComparison.Ordinal), s_startTimeout) is not null;
    }
}
