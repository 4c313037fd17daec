namespace KestrelStream.TestKit.Peers;

/// <summary>A real MariaDB on a free port of 127.0.0.1, with new folders for data and for temporary tables, over whose names two servers would fight.</summary>
public sealed class MariaDbServer : PeerServer
{
    private const string Package = "mariadb-server";
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(90);

    private readonly string[] _options;

    private MariaDbServer(string[] options) => _options = options;

    private string Data => Folder["data"];

    /// <summary>Makes a new data folder, starts a server on it and waits until it takes connections.</summary>
    public static Task<MariaDbServer> StartAsync(params string[] options) => StartAsync(new MariaDbServer(options));

    /// <summary>It may run as root when it is told so; then nothing has to be given to another user.</summary>
    private static string[] AsUser => Environment.IsPrivilegedProcess ? ["--user=root"] : [];

    protected override async Task InitializeAsync()
    {
        var result = await ChildProcess.RunAsync(
            PeerProgram.Find("mariadb-install-db", Package),
            ["--no-defaults", $"--datadir={Data}", "--auth-root-authentication-method=normal", "--skip-test-db", .. AsUser],
            environment: new Dictionary<string, string?> { ["TMPDIR"] = Folder.Path },
            folder: "/",
            within: s_startTimeout);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"mariadb-install-db failed: {result}");
        }
    }

    protected override ChildProcess Launch()
        => ChildProcess.Start(
            PeerProgram.Find("mariadbd", Package),
            [
                "--no-defaults", $"--datadir={Data}", "--bind-address=127.0.0.1", $"--port={EndPoint.Port}", $"--socket={Folder["sock"]}", $"--pid-file={Folder["pid"]}", $"--tmpdir={Folder.Path}",
                "--innodb-buffer-pool-size=8M", "--innodb-flush-log-at-trx-commit=0", "--skip-log-bin", .. AsUser, .. _options,
            ],
            folder: "/");

    protected override async Task<bool> WaitUntilReadyAsync()
        => await Process.Error.WaitForAsync(line => line.Contains("ready for connections", StringComparison.Ordinal), s_startTimeout) is not null;
}
