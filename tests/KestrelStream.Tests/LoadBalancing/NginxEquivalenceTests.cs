using KestrelStream.Configuration;
using KestrelStream.LoadBalancing;
using KestrelStream.Model;
using KestrelStream.Tests.Model;
using Xunit;

namespace KestrelStream.Tests.LoadBalancing;

public class NginxEquivalenceTests
{
    private const int Steps = 4_000;

    [Theory]
    [InlineData(1, 1, 0, 1, false)]
    [InlineData(2, 2, 0, 1, false)]
    [InlineData(3, 3, 1, 1, false)]
    [InlineData(4, 5, 2, 2, false)]
    [InlineData(5, 1, 1, 3, false)]
    [InlineData(6, 9, 3, 1, false)]
    [InlineData(7, 70, 70, 2, false)]
    [InlineData(8, 130, 0, 1, false)]
    [InlineData(9, 4, 2, 0, false)]
    [InlineData(10, 2, 0, 1, true)]
    [InlineData(11, 7, 2, 2, true)]
    [InlineData(12, 66, 65, 1, true)]
    [InlineData(13, 200, 0, 3, true)]
    public void Next_RandomSessions_PicksWhatNginxPicks(int seed, int primaries, int backups, int maxFails, bool leastConnections)
    {
        var random = new Random(seed);
        // Not a multiple of the steps of the clock: nobody asks at the very end of a window.
        var failTimeout = TimeSpan.FromSeconds(10.0005);
        var config = new (string Id, DestinationConfig Destination)[primaries + backups];
        for (var i = 0; i < config.Length; i++)
        {
            config[i] = ($"d{i:000}", new DestinationConfig
            {
                Weight = random.Next(8) == 0 ? 0 : random.Next(1, 7),
                MaxConnections = random.Next(3) == 0 ? random.Next(1, 4) : null,
                Backup = i >= primaries,
            });
        }

        var peers = config.Select(d => new NginxModel.Peer(d.Id, d.Destination.Weight, d.Destination.MaxConnections ?? 0)).ToArray();
        var nginx = new NginxModel(peers[..primaries], peers[primaries..], failTimeout, maxFails, leastConnections);
        var ours = new TestCluster(
            TestCluster.WithPassive(TestCluster.Config(config), maxFails, failTimeout.TotalSeconds),
            leastConnections ? new LeastConnectionsPolicy() : new RoundRobinPolicy());

        var open = new List<(DestinationState Ours, NginxModel.Peer Nginx)>();
        var down = new HashSet<string>();
        for (var step = 0; step < Steps; step++)
        {
            switch (random.Next(10))
            {
                case 0:
                    var pause = TimeSpan.FromMilliseconds(random.Next(1, 4_000));
                    ours.Time.Advance(pause);
                    nginx.Now += pause;
                    break;
                case 1:
                    var id = config[random.Next(config.Length)].Id;
                    _ = down.Remove(id) || down.Add(id);
                    break;
                case 2 or 3 or 4 when open.Count > 0:
                    var ended = random.Next(open.Count);
                    ours.State.Release(open[ended].Ours);
                    NginxModel.Ended(open[ended].Nginx);
                    open.RemoveAt(ended);
                    break;
                default:
                    RunSession(step);
                    break;
            }
        }

        Assert.All(open.GroupBy(session => session.Ours), sessions => Assert.Equal(sessions.Count(), sessions.Key.ActiveSessions));

        void RunSession(int step)
        {
            var attempts = default(DialAttempts);
            var session = new NginxModel.Session();
            while (true)
            {
                var expected = nginx.Next(session);
                var actual = ours.State.Next(ref attempts);
                Assert.True(expected?.Id == actual?.Id, $"Step {step}: nginx picks {expected?.Id ?? "none"}, we {actual?.Id ?? "none"}.");
                if (expected is null || actual is null)
                {
                    return;
                }

                if (!down.Contains(expected.Id))
                {
                    NginxModel.Connected(expected);
                    ours.State.DialSucceeded(actual, attempts);
                    open.Add((actual, expected));
                    return;
                }

                nginx.Failed(expected);
                ours.State.DialFailed(actual, ref attempts);
            }
        }
    }
}
