using System.Net;

namespace KestrelStream.TestKit.Peers;

/// <summary>A real PostgreSQL on a free port of 127.0.0.1, without TLS of its own, trusting everyone unless told otherwise; <c>SHOW cluster_name</c> says which one answered.</summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Package = "postgresql";
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(90);

    private readonly TempFolder _folder = new();
    private ChildProcess? _process;
    private TestCertificate? _tls;

    private PostgresServer(string name) => Name = name;

    /// <summary>Its cluster_name.</summary>
    public string Name { get; }

    /// <summary>Where it listens.</summary>
    public IPEndPoint EndPoint { get; private set; } = LoopbackPort.TakeEndPoint();

    /// <summary>The running server, to be stopped or paused.</summary>
    public ChildProcess Process => _process!;

    private string Data => _folder["data"];

    /// <summary>Makes a new data folder, starts a server on it and waits until it takes connections.</summary>
    /// <param name="name">Its cluster_name.</param>
    /// <param name="authentication">Method of pg_hba.conf for everyone.</param>
    /// <param name="tls">Its certificate; null = it has no TLS of its own.</param>
    public static async Task<PostgresServer> StartAsync(string name, string authentication = "trust", TestCertificate? tls = null)
    {
        var server = new PostgresServer(name) { _tls = tls };
        try
        {
            await server.InitializeAsync();
            var access = Path.Combine(server.Data, "pg_hba.conf");
            await File.WriteAllTextAsync(access, (await File.ReadAllTextAsync(access)).Replace("trust", authentication, StringComparison.Ordinal));
            for (var attempt = 1; !await server.TryStartAsync(); attempt++)
            {
                if (attempt == 3)
                {
                    throw new InvalidOperationException($"PostgreSQL has not started:\n{server._process!.Error.Text}");
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

    private async Task InitializeAsync()
    {
        if (Environment.IsPrivilegedProcess)
        {
            // PostgreSQL refuses to run as root: its package made a user for it, who must be able to reach the folder.
            Directory.CreateDirectory(Data);
            File.SetUnixFileMode(_folder.Path, (UnixFileMode)Convert.ToInt32("755", 8));
            await ExpectSuccessAsync(PeerProgram.Find("chown", "coreutils"), ["postgres:postgres", Data]);
        }

        var (program, arguments) = AsUser("initdb", "-D", Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync");
        await ExpectSuccessAsync(program, arguments);
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

    private async Task<bool> TryStartAsync()
    {
        if (_process is not null)
        {
            await _process.DisposeAsync();
        }

        var (program, arguments) = AsUser(
            "postgres", "-D", Data, "-p", $"{EndPoint.Port}", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", $"cluster_name={Name}",
            "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=80",
            "-c", $"ssl={(_tls is null ? "off" : "on")}");
        _process = ChildProcess.Start(program, arguments, folder: "/");
        return await _process.Error.WaitForAsync(line => line.Contains("ready to accept connections", StringComparison.Ordinal), s_startTimeout) is not null;
    }

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
