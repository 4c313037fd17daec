using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Discovery;

/// <summary>Members found by name take part in active checks.</summary>
public sealed class CheckedMemberTests
{
    private const string Name = "db.example.com";

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Checks_Members_FindTheDeadOneAndFollowTheName(EngineKind engine)
    {
        await using var server = await DnsmasqServer.StartAsync([$"127.0.0.2 {Name}", $"127.0.0.3 {Name}"]);
        await using var pool = await DiscoveryPool.StartAsync(engine, server.EndPoint, [2, 4], [$"{Name}:PORT"], c => c with
        {
            HealthCheck = new HealthCheckConfig
            {
                // A member gets no session before it was checked.
                Active = new ActiveHealthCheckConfig { Interval = TimeSpan.FromMilliseconds(50), Rise = 1, Fall = 1, InitialState = HealthCheckInitialState.Down },
                Passive = new PassiveHealthCheckConfig { Enabled = false },
            },
        });
        await Wait.UntilAsync(() => HealthOf(pool, 2) == DestinationHealth.Healthy && HealthOf(pool, 3) == DestinationHealth.Unhealthy && LastCheckOf(pool, 3), "the first checks");
        Assert.Equal("222", await pool.AskAsync(3));

        await server.SetHostsAsync($"127.0.0.3 {Name}", $"127.0.0.4 {Name}");
        await pool.UntilMembersAsync("127.0.0.3 127.0.0.4");
        await Wait.UntilAsync(() => HealthOf(pool, 4) == DestinationHealth.Healthy, "the first check of a new member");
        Assert.Equal("444", await pool.AskAsync(3));
        Assert.Equal(0, pool.State.Model.Destinations[0].DialFailures);
    }

    private static DestinationHealth HealthOf(DiscoveryPool pool, int member)
        => pool.State.Model.Destinations.FirstOrDefault(destination => destination.Id == $"d1@127.0.0.{member}")?.Health ?? DestinationHealth.Unknown;

    private static bool LastCheckOf(DiscoveryPool pool, int member)
        => pool.State.Model.Destinations.Any(destination => destination.Id == $"d1@127.0.0.{member}" && destination.LastCheck is not null);
}
