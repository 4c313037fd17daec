using BenchmarkDotNet.Attributes;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Routing;
using KestrelStream.TestKit;

namespace KestrelStream.Benchmarks;

/// <summary>Choosing among many names: an exact one, one below a wildcard, and the whole way from bytes to route.</summary>
[MemoryDiagnoser]
public class RouteLookupBenchmark
{
    private readonly byte[] _hello = ClientHelloBuilder.Browser("host7.example.com").Build();
    private RouteTable _table = null!;

    [Params(10, 10_000, 100_000)]
    public int Names { get; set; }

    [GlobalSetup]
    public void Setup() => _table = new RouteTable(Enumerable.Range(0, Names).Select(i => new RouteModel
    {
        Id = $"r{i}",
        Config = new RouteConfig { ClusterId = "c", Match = new RouteMatch { Sni = [i % 10 == 9 ? $"*.wild{i}.example.com" : $"host{i}.example.com"] } },
    }));

    [Benchmark]
    public bool Exact() => _table.ForHello(new ClientHello { ServerName = "host7.example.com" }) is not null;

    [Benchmark]
    public bool Wildcard() => _table.ForHello(new ClientHello { ServerName = "a.b.wild9.example.com" }) is not null;

    [Benchmark]
    public bool NoMatch() => _table.ForHello(new ClientHello { ServerName = "nowhere.example.org" }) is null;

    [Benchmark]
    public bool ParseAndRoute()
    {
        var parser = new ClientHelloParser(32768);
        parser.Advance(_hello);
        var route = _table.ForHello(parser.GetHello(_hello));
        parser.Dispose();
        return route is not null;
    }
}
