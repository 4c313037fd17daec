using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using KestrelStream.Configuration;
using KestrelStream.Sessions;
using KestrelStream.TestKit;
using Xunit;

namespace KestrelStream.FunctionalTests.Admin;

/// <summary>Changes from several sides at once, and reloads, while sessions come and go.</summary>
public sealed class LiveChangeStressTests
{
    [Theory]
    [MemberData(nameof(Engines.All), MemberType = typeof(Engines))]
    public async Task Changes_UnderTraffic_NoSessionFails(EngineKind engine)
    {
        await using var pool = await LivePool.StartAsync(engine, "abcdx", c => c with { LoadBalancingPolicy = "LeastConnections" });
        var kept = new List<Socket>();
        for (var i = 0; i < 8; i++)
        {
            kept.Add((await pool.OpenAsync()).Client);
        }

        using var stop = new CancellationTokenSource();
        var answered = new StrongBox<int>();
        var clients = Enumerable.Range(0, 4).Select(_ => Task.Run(() => RunClientsAsync(pool, answered, stop.Token))).ToArray();

        // Until enough sessions were there while things changed, which on a busy machine takes more than one round.
        var began = Stopwatch.StartNew();
        do
        {
            // One is never touched, so there is always somebody.
            await Task.WhenAll(
                ChangeAsync(pool, "b", 60),
                ChangeAsync(pool, "c", 60),
                AddAndRemoveAsync(pool, 60),
                ReloadAsync(pool, 15));
        }
        while (Volatile.Read(ref answered.Value) <= 50 && began.Elapsed < Wait.Limit);

        await stop.CancelAsync();
        await Task.WhenAll(clients);
        Assert.True(answered.Value > 50, $"{answered.Value} sessions");
        foreach (var client in kept)
        {
            await LivePool.EchoesAsync(client);
            client.Dispose();
        }

        Assert.Equal("[]", (await pool.Admin.GetAsync("/api/config/diff")).GetRawText());
        await Wait.UntilAsync(() => pool.Proxy.Sessions.All(session => session.Ended.IsCompleted), "all sessions have ended");
        Assert.All(pool.Proxy.Sessions, session => Assert.Contains(session.EndReason, new[] { SessionEndReason.Completed, SessionEndReason.ClientReset }));
        foreach (var id in "abcd")
        {
            Assert.Equal(0, (await pool.Admin.DestinationAsync(id.ToString())).GetProperty("active_sessions").GetInt32());
        }
    }

    /// <summary>Counts sessions that got their answer. Any other end is thrown.</summary>
    private static async Task RunClientsAsync(LivePool pool, StrongBox<int> answered, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var (client, _) = await pool.OpenAsync();
            await LivePool.EchoesAsync(client, (byte)answered.Value);
            client.Shutdown(SocketShutdown.Send);
            Assert.Empty(await client.ReceiveToEndAsync());
            client.Dispose();
            Interlocked.Increment(ref answered.Value);
        }
    }

    private static async Task ChangeAsync(LivePool pool, string id, int rounds)
    {
        string[] changes = ["""{"state":"drain"}""", """{"weight":0}""", """{"state":"maintenance","weight":9}""", """{"health":"down","state":"ready"}""", """{"health":"up","weight":100}"""];
        for (var round = 0; round < rounds; round++)
        {
            await pool.Admin.SetAsync(id, changes[round % changes.Length]);
        }

        await pool.Admin.SetAsync(id, """{"health":"auto","state":"ready","weight":1}""");
    }

    private static async Task AddAndRemoveAsync(LivePool pool, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            await pool.Admin.ChangeAsync("POST", "/api/clusters/c/destinations", $$"""{"id":"x","address":"{{pool.Address('x', "abcdx")}}","weight":50}""");
            await pool.Admin.ChangeAsync("DELETE", "/api/clusters/c/destinations/x");
        }
    }

    /// <summary>Of what nobody changes.</summary>
    private static async Task ReloadAsync(LivePool pool, int rounds)
    {
        for (var round = 1; round <= rounds; round++)
        {
            var isLast = round == rounds;
            var d = pool.Config.Clusters["c"].Destinations["d"];
            Assert.True((await pool.Proxy.ReloadAsync(pool.WithDestination("d", isLast ? d : d with { Weight = round % 3 }))).IsApplied);
        }
    }
}
