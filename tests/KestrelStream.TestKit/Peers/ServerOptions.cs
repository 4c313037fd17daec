namespace KestrelStream.TestKit.Peers;

/// <summary>How to start the server under test.</summary>
public sealed record ServerOptions
{
    /// <summary>The configuration file; null = the argument is left out.</summary>
    public string? ConfigPath { get; init; }

    /// <summary>Keys laid over the file by environment variables, written as in error messages: <c>StreamProxy:Listeners:public:Address</c>.</summary>
    public IReadOnlyDictionary<string, string> Overrides { get; init; } = new Dictionary<string, string>();

    /// <summary>Other environment variables, e.g. NOTIFY_SOCKET.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary><c>ulimit -n</c>; null = that of the test.</summary>
    public int? DescriptorLimit { get; init; }

    /// <summary>The kernel refuses SO_REUSEPORT to the server (a seccomp filter), as some sandboxes do.</summary>
    public bool RefuseReusePort { get; init; }

    /// <summary>The program; null = the server as it was built with the running tests.</summary>
    public string? Program { get; init; }

    /// <summary>Working folder; null = the test's own.</summary>
    public string? Folder { get; init; }
}
