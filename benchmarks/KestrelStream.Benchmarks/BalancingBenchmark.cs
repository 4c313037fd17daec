using BenchmarkDotNet.Attributes;
using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelStream.Benchmarks;

/// <summary>One session's choice of a destination, slot taken and given back.</summary>
[MemoryDiagnoser]
public class BalancingBenchmark
{
    private ClusterState _cluster = null!;
    private ulong _key;

    [Params("RoundRobin", "LeastConnections", "LeastLatency", "Random", "PowerOfTwoChoices", "ConsistentHash", "ConsistentHash 1.25", "FirstAlphabetical")]
    public string Policy { get; set; } = "";

    [Params(100)]
    public int Members { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        var words = Policy.Split(' ');
        new LoadBalancingPolicyRegistry(LoadBalancingPolicyRegistry.CreateBuiltIn()).TryGet(words[0], out var policy);
        var config = new ClusterConfig
        {
            Hash = new HashConfig { BalanceFactor = words.Length > 1 ? 1.25 : null },
            Destinations = Enumerable.Range(0, Members).ToDictionary(i => $"d{i:000}", i => new DestinationConfig { Address = $"10.0.{i >> 8}.{i & 255}:443", Weight = 1 + (i % 5) }),
        };
        _cluster = new ClusterState("c", ClusterModel.Create(config, policy!, TimeProvider.System), TimeProvider.System, NullLogger.Instance);

        // Load as the policy itself spreads it: those that compare find many equals, which is their long way.
        for (var i = 0; i < 20 * Members; i++)
        {
            var attempts = new DialAttempts { Key = KeyHash.Mix((ulong)i) };
            var destination = _cluster.Next(ref attempts)!;
            _cluster.DialSucceeded(destination, attempts, TimeSpan.FromMilliseconds(1 + (i * 7 % 11)));
        }
    }

    [Benchmark]
    public bool Pick()
    {
        _key += KeyHash.Golden;
        var attempts = new DialAttempts { Key = _key | 1 };
        var destination = _cluster.Next(ref attempts);
        _cluster.Release(destination!);
        return destination is not null;
    }
}
