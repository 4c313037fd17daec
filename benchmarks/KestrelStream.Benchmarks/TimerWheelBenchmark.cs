using BenchmarkDotNet.Attributes;
using KestrelStream.Sessions;

namespace KestrelStream.Benchmarks;

/// <summary>What a session's clock costs: set, moved, cleared; and a tick with many sessions that are not due.</summary>
[MemoryDiagnoser]
public class TimerWheelBenchmark
{
    private readonly TimerWheel _wheel = new();
    private readonly Node _node = new();
    private readonly TimerWheel _full = new();
    private long _now;

    [GlobalSetup]
    public void Setup()
    {
        for (var i = 0; i < 100_000; i++)
        {
            _full.Schedule(new Node(), 600_000_000_000 + i);
        }
    }

    [Benchmark]
    public void ScheduleMoveCancel()
    {
        _wheel.Schedule(_node, 30_000);
        _wheel.Schedule(_node, 600_000);
        _wheel.Cancel(_node);
    }

    [Benchmark]
    public bool TickWith100000Sessions() => _full.Advance(_now += TimerWheel.TickMilliseconds) is null;

    private sealed class Node : TimerNode
    {
        public override void OnDue(long nowMilliseconds)
        {
        }
    }
}
