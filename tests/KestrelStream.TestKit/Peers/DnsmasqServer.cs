using System.Globalization;
using System.Net;

namespace KestrelStream.TestKit.Peers;

/// <summary>A real name server, dnsmasq, for the zone <c>example.com</c>, which can change while it runs. Other names it refuses to resolve.</summary>
public sealed class DnsmasqServer : IAsyncDisposable
{
    /// <summary>SIGHUP: it reads its hosts again.</summary>
    private const int Hangup = 1;

    private readonly TempFolder _folder = new();
    private readonly int _ttl;
    private string[] _services = [];
    private ChildProcess? _process;

    private DnsmasqServer(int ttl) => _ttl = ttl;

    /// <summary>Where it answers; the same after a stop.</summary>
    public IPEndPoint EndPoint { get; private set; } = new(IPAddress.Loopback, 0);

    /// <summary>The names it was asked for since its last start, each with the type before it: <c>A db.example.com</c>.</summary>
    public IReadOnlyList<string> Queries
        => [.. _process!.Error.Lines
            .Select(line => line.Split(' '))
            .Select(words => (Words: words, At: Array.FindIndex(words, word => word.StartsWith("query[", StringComparison.Ordinal))))
            .Where(line => line.At >= 0)
            .Select(line => $"{line.Words[line.At][6..^1]} {line.Words[line.At + 1]}")];

    /// <param name="hosts">Lines of a hosts file: <c>127.0.0.2 db.example.com</c>.</param>
    /// <param name="services">SRV records: <c>_pg._tcp.example.com,db.example.com,5432,priority,weight</c>.</param>
    /// <param name="ttl">Of every record, in seconds.</param>
    public static async Task<DnsmasqServer> StartAsync(string[] hosts, string[]? services = null, int ttl = 1)
    {
        var server = new DnsmasqServer(ttl) { _services = services ?? [] };
        try
        {
            server.Write(hosts);
            for (var attempt = 1; ; attempt++)
            {
                server.EndPoint = LoopbackPort.TakeEndPoint();
                if (await server.TryStartAsync())
                {
                    return server;
                }

                if (attempt == 3)
                {
                    throw new InvalidOperationException($"dnsmasq has not started:\n{server._process!.Error.Text}");
                }
            }
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Other hosts from now on, while it runs.</summary>
    public async Task SetHostsAsync(params string[] hosts)
    {
        Write(hosts);
        var seen = _process!.Error.Lines.Count;
        _process.Signal(Hangup);
        await _process.Error.WaitForAsync(line => line.Contains("read ", StringComparison.Ordinal) && line.Contains(_folder["hosts"], StringComparison.Ordinal), Wait.Limit, seen);
    }

    /// <summary>Other SRV records from now on, for which it has to start again.</summary>
    public async Task SetServicesAsync(params string[] services)
    {
        _services = services;
        await StopAsync();
        await StartAgainAsync();
    }

    /// <summary>Nobody answers.</summary>
    public async Task StopAsync() => await _process!.DisposeAsync();

    /// <summary>After a stop, at the same address.</summary>
    /// <param name="hosts">Null = as before.</param>
    public async Task StartAgainAsync(string[]? hosts = null)
    {
        if (hosts is not null)
        {
            Write(hosts);
        }

        if (!await TryStartAsync())
        {
            throw new InvalidOperationException($"dnsmasq has not started again:\n{_process!.Error.Text}");
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

    private async Task<bool> TryStartAsync()
    {
        _process = ChildProcess.Start(PeerProgram.Find("dnsmasq", "dnsmasq-base"),
        [
            "--keep-in-foreground", "--log-facility=-", "--log-queries", "--conf-file=/dev/null", $"--pid-file={_folder["pid"]}", $"--user={Environment.UserName}",
            $"--port={EndPoint.Port}", "--listen-address=127.0.0.1", "--bind-interfaces", "--no-resolv", "--no-hosts", $"--addn-hosts={_folder["hosts"]}",
            "--local=/example.com/", string.Create(CultureInfo.InvariantCulture, $"--local-ttl={_ttl}"),
            .. _services.Select(service => $"--srv-host={service}"),
        ]);
        return await _process.Error.WaitForAsync(line => line.Contains(_folder["hosts"], StringComparison.Ordinal), Wait.Limit) is not null && !_process.HasExited;
    }

    private void Write(string[] hosts) => _folder.Write("hosts", string.Join('\n', [.. hosts, ""]));
}
