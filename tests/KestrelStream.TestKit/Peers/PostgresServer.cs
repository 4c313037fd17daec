namespace KestrelStream.TestKit.Peers;

/// <summary>A real PostgreSQL on a free port of 127.0.0.1, without TLS of its own, trusting everyone unless told otherwise; <c>SHOW cluster_name</c> says which one answered.</summary>
public sealed class PostgresServer : PeerServer
{
    private const string Package = "postgresql";
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(90);

    private readonly string _authentication;
    private readonly TestCertificate? _tls;

    private PostgresServer(string name, string authentication, TestCertificate? tls)
    {
        Name = name;
        _authentication = authentication;
        _tls = tls;
    }

    /// <summary>Its cluster_name.</summary>
    public string Name { get; }

    private string Data => Folder["data"];

    /// <summary>Makes a new data folder, starts a server on it and waits until it takes connections.</summary>
    /// <param name="name">Its cluster_name.</param>
    /// <param name="authentication">Method of pg_hba.conf for everyone.</param>
    /// <param name="tls">Its certificate; null = it has no TLS of its own.</param>
    public static Task<PostgresServer> StartAsync(string name, string authentication = "trust", TestCertificate? tls = null)
        => StartAsync(new PostgresServer(name, authentication, tls));

    protected override async Task InitializeAsync()
    {
        if (Environment.IsPrivilegedProcess)
        {
            // PostgreSQL refuses to run as root: its package made a user for it, who must be able to reach the folder.
            Directory.CreateDirectory(Data);
            File.SetUnixFileMode(Folder.Path, (UnixFileMode)Convert.ToInt32("755", 8));
            await ExpectSuccessAsync(PeerProgram.Find("chown", "coreutils"), ["postgres:postgres", Data]);
        }

        var (program, arguments) = AsUser("initdb", "-D", Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
        await ExpectSuccessAsync(program, arguments);
        var access = Path.Combine(Data, "pg_hba.conf");
        await File.WriteAllTextAsync(access, (await File.ReadAllTextAsync(access)).Replace("trust", _authentication, StringComparison.Ordinal));
        if (_tls is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(Data, "server.crt"), _tls.ChainPem);
            var key = Path.Combine(Data, "server.key");
            await File.WriteAllTextAsync(key, _tls.KeyPem);
            File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            if (Environment.IsPrivilegedProcess)
            {
                await ExpectSuccessAsync(PeerProgram.Find("chown", "coreutils"), ["-R", "postgres:postgres", Data]);
            }
        }
    }

    protected override ChildProcess Launch()
    {
        var (program, arguments) = AsUser(
            "postgres", "-D", Data, "-p", $"{EndPoint.Port}", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", $"cluster_name={Name}",
            "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=80",
            "-c", $"ssl={(_tls is null ? "off" : "on")}");
        return ChildProcess.Start(program, arguments, folder: "/");
    }

    protected override async Task<bool> WaitUntilReadyAsync()
        => await Process.Error.WaitForAsync(line => line.Contains("ready to accept connections", StringComparison.Ordinal), s_startTimeout) is not null;

    private static (string Program, string[] Arguments) AsUser(string program, params string[] arguments)
    {
        var path = PeerProgram.Find(program, Package);
        return Environment.IsPrivilegedProcess
            ? (PeerProgram.Find("setpriv", "util-linux"), ["--reuid=postgres", "--regid=postgres", "--clear-groups", path, .. arguments])
            : (path, arguments);
    }

    private static async Task ExpectSuccessAsync(string program, string[] arguments)
    {
        var result = await ChildProcess.RunAsync(program, arguments, folder: "/", within: s_startTimeout);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} failed: {result}");
        }
    }
}
