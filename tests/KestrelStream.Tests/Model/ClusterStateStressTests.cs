using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelStream.Tests.Model;

public class ClusterStateStressTests
{
    private const int Threads = 4;
    private const int SessionsPerThread = 15_000;

    /// <summary>Sessions that fail, are given up and end on several threads, with reloads in between and a clock that runs.</summary>
    [Theory]
    [InlineData("RoundRobin")]
    [InlineData("LeastConnections")]
    [InlineData("LeastLatency")]
    [InlineData("ConsistentHash")]
    [InlineData("Random")]
    [InlineData("PowerOfTwoChoices")]
    [InlineData("FirstAlphabetical")]
    public async Task Next_ManyThreadsAndReloads_KeepsLimitsAndLosesNoSlot(string policyName)
    {
        Assert.True(new LoadBalancingPolicyRegistry(LoadBalancingPolicyRegistry.CreateBuiltIn()).TryGet(policyName, out var policy));
        var config = TestCluster.WithPassive(
            TestCluster.Config([.. Enumerable.Range(0, 70).Select(i => ($"d{i:00}", new DestinationConfig
            {
                Weight = 1 + (i % 3),
                MaxConnections = i % 2 == 0 ? 1 + (i % 5) : null,
                Backup = i >= 67,
            }))]),
            maxFails: 1,
            failTimeoutSeconds: 0.001);
        var cluster = new ClusterState("web", ClusterModel.Create(config, policy, TimeProvider.System), TimeProvider.System, NullLogger.Instance);
        var destinations = cluster.Model.Destinations;
        // What the threads know they hold: never above the limit, whatever the counter of the product says.
        var held = new int[destinations.Length];
        using var isOver = new CancellationTokenSource();

        // A thread of its own: the pool may be busy with other tests for as long as this one lasts.
        var reloads = Task.Factory.StartNew(
            () =>
            {
                var count = 0;
                while (!isOver.IsCancellationRequested)
                {
                    cluster.Apply(ClusterModel.Create(config, policy, TimeProvider.System, cluster.Model));
                    count++;
                    Thread.Yield();
                }

                return count;
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Threads).Select(seed => Task.Factory.StartNew(
                () => RunThread(new Random(seed)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))).WaitAsync(TimeSpan.FromMinutes(2));
        }
        finally
        {
            await isOver.CancelAsync();
        }

        Assert.True(await reloads > 1);
        Assert.Equal(destinations.ToArray(), cluster.Model.Destinations.ToArray());
        Assert.All(destinations, destination => Assert.Equal(0, destination.ActiveSessions));
        Assert.All(held, count => Assert.Equal(0, count));

        void RunThread(Random random)
        {
            var open = new Queue<DestinationState>();
            for (var i = 0; i < SessionsPerThread; i++)
            {
                var attempts = new DialAttempts { Key = KeyHash.Mix((ulong)i) };
                var tried = 0;
                while (cluster.Next(ref attempts) is { } destination)
                {
                    var index = destinations.IndexOf(destination);
                    var limit = destination.Config.MaxConnections ?? int.MaxValue;
                    Assert.InRange(Interlocked.Increment(ref held[index]), 1, limit);
                    Assert.InRange(destination.ActiveSessions, 1, limit);
                    Assert.True(++tried <= destinations.Length);
                    var luck = random.Next(10);
                    if (luck > 2)
                    {
                        cluster.DialSucceeded(destination, attempts);
                        open.Enqueue(destination);
                        break;
                    }

                    Interlocked.Decrement(ref held[index]);
                    if (luck == 0)
                    {
                        cluster.Release(destination);
                        break;
                    }

                    cluster.DialFailed(destination, ref attempts);
                }

                Assert.Equal(tried, attempts.Count);
                while (open.Count > (i == SessionsPerThread - 1 ? 0 : 40))
                {
                    var destination = open.Dequeue();
                    Interlocked.Decrement(ref held[destinations.IndexOf(destination)]);
                    cluster.Release(destination);
                }
            }
        }
    }
}
