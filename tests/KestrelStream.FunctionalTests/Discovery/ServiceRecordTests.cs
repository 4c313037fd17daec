using KestrelStream.Configuration;
using KestrelStream.TestKit;
using KestrelStream.TestKit.Peers;
using Xunit;

namespace KestrelStream.FunctionalTests.Discovery;

/// <summary>Members found by SRV records. The name server is a real one.</summary>
public sealed class ServiceRecordTests
{
    private const string Service = "_pg._tcp.example.com";

    private static readonly string[] Hosts = ["127.0.0.2 two.example.com", "127.0.0.3 three.example.com", "127.0.0.4 four.example.com", "127.0.0.5 five.example.com"];

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Priorities_LowestFirst_OthersAreTiersOfBackups(EngineKind engine)
    {
        await using var server = await DnsmasqServer.StartAsync(Hosts);
        await using var pool = await StartAsync(engine, server, [3, 4, 5], ["two,10,1", "three,20,1", "four,30,1"]);

        // Nobody listens at 127.0.0.2, the only one of the first tier.
        Assert.Equal("333", await pool.AskAsync(3));

        Assert.Equal([0, 1, 2], pool.State.Model.Tiers.ToArray());
        Assert.Equal(["d1@127.0.0.2:", "d1@127.0.0.3:", "d1@127.0.0.4:"], pool.State.Model.Destinations.Select(member => member.Id[..^$"{pool.Port}".Length]));
        Assert.Equal([false, true, true], pool.State.Model.Destinations.Select(member => member.Config.Backup));

        // The last tier of all is the next one now, and what was the first is gone.
        await server.SetServicesAsync(Record(pool, "five,40,1"), Record(pool, "two,10,1"));
        await pool.UntilMembersAsync("127.0.0.2 127.0.0.5");
        Assert.Equal("55", await pool.AskAsync(2));
    }

    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Weights_AreThoseOfTheRecords(EngineKind engine)
    {
        await using var server = await DnsmasqServer.StartAsync(Hosts);
        await using var pool = await StartAsync(engine, server, [2, 3, 4], ["two,10,3", "three,10,2", "four,10,0"]);

        Assert.Equal("222334", string.Concat((await pool.AskAsync(6)).Order()));
        Assert.Equal([3, 2, 1], pool.State.Model.Destinations.Select(member => member.Weight));
    }

    /// <summary>A literal address and a name side by side; a configured backup comes after every record.</summary>
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Records_BesideOtherDestinations_BackupIsLast(EngineKind engine)
    {
        await using var server = await DnsmasqServer.StartAsync(Hosts);
        await using var pool = await StartAsync(
            engine, server, [5], ["two,10,1", "three,20,1"], ["srv+" + Service, "127.0.0.5:PORT", "127.0.0.4:PORT"],
            c => c with { Destinations = c.Destinations.ToDictionary(d => d.Key, d => d.Value with { Backup = d.Key == "d2" }) });

        Assert.Equal("5", await pool.AskAsync(1));

        Assert.Equal(["d1@127.0.0.2 0", "d1@127.0.0.3 1", "d2 2", "d3 0"], pool.State.Model.Destinations.Zip(pool.State.Model.Tiers, (member, tier) => $"{member.Id.Split(':')[0]} {tier}"));
        Assert.Equal([1, 1, 0, 1], pool.State.Model.Destinations.Select(member => member.DialFailures));
    }

    private static async Task<DiscoveryPool> StartAsync(
        EngineKind engine, DnsmasqServer server, int[] members, string[] records, string[]? destinations = null, Func<ClusterConfig, ClusterConfig>? cluster = null)
    {
        var pool = await DiscoveryPool.StartAsync(engine, server.EndPoint, members, destinations ?? ["srv+" + Service], cluster);
        await server.SetServicesAsync([.. records.Select(record => Record(pool, record))]);
        await Wait.UntilAsync(() => pool.State.Model.Destinations.Any(member => member.Source is not null), "the first members");
        return pool;
    }

    /// <param name="pool">Says the port.</param>
    /// <param name="record">Name of the target, priority, weight.</param>
    private static string Record(DiscoveryPool pool, string record)
        => $"{Service},{record.Split(',')[0]}.example.com,{pool.Port},{record.Split(',')[1]},{record.Split(',')[2]}";
}
