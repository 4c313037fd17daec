using System.Net;
using BenchmarkDotNet.Attributes;
using KestrelStream.Configuration;
using KestrelStream.Limits;

namespace KestrelStream.Benchmarks;

/// <summary>What limits cost a session, in and out: one client, or any of a million.</summary>
[MemoryDiagnoser]
public class LimitBenchmark
{
    private IPEndPoint[] _clients = [];
    private SessionLimits _limits = null!;
    private int _next;

    [Params(1, 1 << 20)]
    public int Clients { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        // Lives as long as the process, which is the benchmark's own.
        var registry = new LimitRegistry(TimeProvider.System);
        registry.Clients.MaxClients = 2_000_000;
        var config = new LimitsConfig { MaxSessions = 1_000_000, MaxSessionsPerClient = 1_000, NewSessionsPerSecond = 1_000_000, NewSessionsPerSecondPerClient = 1_000_000 };
        _limits = registry.OfListener("a", new ListenerConfig { Limits = config })!;
        _clients = [.. Enumerable.Range(0, Clients).Select(i => new IPEndPoint(new IPAddress((long)i * 2654435761 % uint.MaxValue), 1))];
    }

    [Benchmark]
    public void EnterAndLeave()
    {
        var client = _clients[_next++ & (Clients - 1)];
        if (_limits.Enter(client).IsAllowed)
        {
            _limits.Leave(client);
        }
    }
}
