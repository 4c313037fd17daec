using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace KestrelStream.TestKit.Peers;

/// <summary>The server as users run it: the built program, in a process of its own.</summary>
public sealed partial class ServerProcess : IAsyncDisposable
{
    /// <summary>SIGHUP.</summary>
    public const int Hangup = 1;

    /// <summary>SIGTERM.</summary>
    public const int Terminate = 15;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly ChildProcess _process;
    private readonly Dictionary<string, IPEndPoint> _listeners = new(StringComparer.OrdinalIgnoreCase);
    private IPEndPoint? _admin;

    private ServerProcess(ChildProcess process) => _process = process;

    /// <summary>Path of the program that was built with the running tests.</summary>
    public static string Program => RepositoryFolder.BuildOutput("src/KestrelStream.Server", "kestrelstream");

    /// <summary>The process id.</summary>
    public int Id => _process.Id;

    /// <summary>True once it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Standard output: the lines of start, and an access log with path <c>-</c>.</summary>
    public ProcessOutput Output => _process.Output;

    /// <summary>Standard error: the log.</summary>
    public ProcessOutput Error => _process.Error;

    /// <summary>The admin port, which the Ready line names.</summary>
    public IPEndPoint Admin => _admin ?? throw new InvalidOperationException($"The server named no admin port:\n{Output.Text}");

    /// <summary>Where a listener is bound, as its line of start says; the first address when there are several.</summary>
    public IPEndPoint Listener(string id)
        => _listeners.TryGetValue(id, out var endPoint) ? endPoint : throw new KeyNotFoundException($"No line for listener {id}:\n{Output.Text}");

    /// <summary>Starts <c>run</c> and waits for Ready.</summary>
    /// <exception cref="InvalidOperationException">It ended instead; the message has what it said.</exception>
    public static async Task<ServerProcess> StartAsync(ServerOptions options)
    {
        var server = new ServerProcess(Start(options, ["run"]));
        try
        {
            if (await server.Output.WaitForAsync(line => line.StartsWith("Ready", StringComparison.Ordinal), s_patience) is null)
            {
                throw new InvalidOperationException($"The server has not started: {await server._process.WaitForResultAsync(s_patience)}");
            }

            server.ReadBanner();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs the program to its end: <c>check</c>, <c>--version</c>, or a <c>run</c> that is to fail.</summary>
    public static async Task<ProcessResult> RunAsync(ServerOptions options, params string[] arguments)
    {
        await using var process = Start(options, arguments);
        return await process.WaitForResultAsync(s_patience);
    }

    /// <summary>Sends a signal.</summary>
    public void Signal(int signal) => _process.Signal(signal);

    /// <summary>SIGHUP, then waits until the reload is over.</summary>
    /// <returns>True when it was applied.</returns>
    public async Task<bool> ReloadAsync()
    {
        var seen = Error.Lines.Count;
        Signal(Hangup);
        return await WaitForReloadAsync(seen);
    }

    /// <summary>Waits for the end of a reload.</summary>
    /// <param name="after">Number of lines of the log before it.</param>
    /// <returns>True when it was applied.</returns>
    public async Task<bool> WaitForReloadAsync(int after)
    {
        var line = await Error.WaitForAsync(
            l => l.Contains("is in force", StringComparison.Ordinal) || l.Contains("Reload rejected", StringComparison.Ordinal), s_patience, after);
        return line?.Contains("is in force", StringComparison.Ordinal) ?? throw new InvalidOperationException($"The server ended:\n{Error.Text}");
    }

    /// <summary>SIGTERM, then waits for the end.</summary>
    public Task<ProcessResult> StopAsync()
    {
        Signal(Terminate);
        return WaitForExitAsync();
    }

    /// <summary>Waits for the end.</summary>
    public Task<ProcessResult> WaitForExitAsync() => _process.WaitForResultAsync(s_patience);

    /// <summary>Time on the processor so far, user and system, of all its threads.</summary>
    public TimeSpan ProcessorTime()
    {
        // proc(5): the name stands in parentheses and may hold spaces; utime and stime are fields 14 and 15, in ticks of 10 ms.
        var stat = File.ReadAllText($"/proc/{Id}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromMilliseconds(10 * (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)));
    }

    /// <summary>Bytes of its own memory (no files) that are resident.</summary>
    public long ResidentBytes()
    {
        var line = File.ReadLines($"/proc/{Id}/status").Single(l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    private static ChildProcess Start(ServerOptions options, string[] arguments)
    {
        var environment = new Dictionary<string, string?> { ["DOTNET_ROOT"] = PeerProgram.DotnetRoot };
        foreach (var (key, value) in options.Overrides)
        {
            environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        foreach (var (key, value) in options.Environment)
        {
            environment[key] = value;
        }

        // A shell ignores SIGINT for what it runs in the background, and nohup SIGHUP; .NET respects what it inherits.
        string[] command = [PeerProgram.Find("env", "coreutils"), "--default-signal=HUP,INT,QUIT", options.Program ?? Program, .. arguments];
        if (options.ConfigPath is { } path)
        {
            command = [.. command, "--config", path];
        }

        if (options.RefuseReusePort)
        {
            command = [PeerProgram.Find("python3", "python3"), "-c", RefuseReusePort, .. command];
        }

        if (options.DescriptorLimit is { } limit)
        {
            command = [PeerProgram.Find("bash", "bash"), "-c", $"ulimit -n {limit} && exec \"$0\" \"$@\"", .. command];
        }

        return ChildProcess.Start(command[0], command[1..], environment, options.Folder);
    }

    /// <summary>Installs a seccomp filter by which setsockopt(…, SOL_SOCKET, SO_REUSEPORT, …) fails with EPERM, then runs the rest of its arguments.</summary>
    private const string RefuseReusePort = """
        import ctypes, os, platform, struct, sys
        setsockopt = 208 if platform.machine() == 'aarch64' else 54
        # struct seccomp_data: nr at 0, args[1] at 24, args[2] at 32. 0x20 = load a word, 0x15 = jump if equal, 0x06 = return.
        code = [(0x20, 0, 0, 0), (0x15, 0, 5, setsockopt), (0x20, 0, 0, 24), (0x15, 0, 3, 1), (0x20, 0, 0, 32), (0x15, 0, 1, 15),
                (0x06, 0, 0, 0x00050000 | 1), (0x06, 0, 0, 0x7fff0000)]
        filter = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *c) for c in code))
        program = ctypes.create_string_buffer(struct.pack('HxxxxxxQ', len(code), ctypes.addressof(filter)))
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(program)), 0, 0) == 0, ctypes.get_errno()
        os.execv(sys.argv[1], sys.argv[1:])
        """;

    private void ReadBanner()
    {
        foreach (var line in Output.Lines)
        {
            if (ListenerLine().Match(line) is { Success: true } listener)
            {
                // A unix socket is no IPEndPoint; tests that use one know its path.
                if (IPEndPoint.TryParse(listener.Groups["address"].Value, out var endPoint))
                {
                    _listeners[listener.Groups["id"].Value] = endPoint;
                }
            }
            else if (AdminAddress().Match(line) is { Success: true } admin && IPEndPoint.TryParse(admin.Groups["address"].Value, out var address))
            {
                _admin = address;
            }
        }
    }

    [GeneratedRegex(@"^Listener (?<id>[^:]+): (?<address>[^,]+)")]
    private static partial Regex ListenerLine();

    [GeneratedRegex(@"^Ready .*admin http://(?<address>[^/)]+)")]
    private static partial Regex AdminAddress();
}
