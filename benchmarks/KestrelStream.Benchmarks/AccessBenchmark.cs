using System.Net;
using BenchmarkDotNet.Attributes;
using KestrelStream.Access;

namespace KestrelStream.Benchmarks;

/// <summary>Looking a client up among many networks, of addresses that differ each time: the table does not stay in the first caches.</summary>
[MemoryDiagnoser]
public class AccessBenchmark
{
    private const int Clients = 1 << 16;

    private readonly IPAddress[] _v4 = new IPAddress[Clients];
    private readonly IPAddress[] _v6 = new IPAddress[Clients];
    private NetworkTable _table = null!;
    private int _next;

    [Params(100, 100_000)]
    public int Networks { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        var rules = new Dictionary<IPNetwork, AccessVerdict>();
        while (rules.Count < Networks)
        {
            rules[rules.Count % 2 == 0 ? Network(random, 4, 16, 32) : Network(random, 16, 32, 64)] = (AccessVerdict)random.Next(1, 3);
        }

        var networks = rules.Keys.ToArray();
        for (var i = 0; i < Clients; i++)
        {
            _v4[i] = Network(random, 4, 32, 32).BaseAddress;
            var bytes = networks[random.Next(networks.Length / 2) * 2 + 1].BaseAddress.GetAddressBytes();
            random.NextBytes(bytes.AsSpan(8));
            _v6[i] = new IPAddress(bytes);
        }

        _table = new NetworkTable([.. rules.Select(rule => (rule.Key, rule.Value))]);
    }

    [Benchmark]
    public bool V4() => _table[_v4[_next++ & (Clients - 1)]] == AccessVerdict.Deny;

    [Benchmark]
    public bool V6() => _table[_v6[_next++ & (Clients - 1)]] == AccessVerdict.Deny;

    private static IPNetwork Network(Random random, int bytes, int shortest, int longest)
    {
        var address = new byte[bytes];
        random.NextBytes(address);
        address[0] = bytes == 16 ? (byte)0x20 : address[0];
        var length = random.Next(shortest, longest + 1);
        for (var bit = length; bit < bytes * 8; bit++)
        {
            address[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPNetwork(new IPAddress(address), length);
    }
}
