namespace KestrelStream.TestKit.Peers;

/// <summary>A real Redis on a free port of 127.0.0.1, in memory only.</summary>
public sealed class RedisServer : PeerServer
{
    private readonly string? _password;

    private RedisServer(string? password) => _password = password;

    /// <summary>Starts one and waits until it takes connections.</summary>
    /// <param name="password">Null = none is needed.</param>
    public static Task<RedisServer> StartAsync(string? password = null) => StartAsync(new RedisServer(password));

    protected override ChildProcess Launch()
    {
        string[] authentication = _password is null ? [] : ["--requirepass", _password];
        return ChildProcess.Start(
            PeerProgram.Find("redis-server", "redis-server"),
            ["--bind", "127.0.0.1", "--port", $"{EndPoint.Port}", "--save", "", "--appendonly", "no", "--daemonize", "no", "--dir", Folder.Path, .. authentication]);
    }
}
