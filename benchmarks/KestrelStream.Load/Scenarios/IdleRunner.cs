using KestrelStream.Load.Client;
using KestrelStream.Load.Proxies;

namespace KestrelStream.Load.Scenarios;

/// <summary>Start time, memory after start, memory per idle session. Starts each proxy anew every time, as used memory is seldom given back.</summary>
internal sealed class IdleRunner(int rounds, int sessions, CancellationToken cancellation)
{
    /// <summary>Sessions opened and closed before the base is taken: what the first client costs (code, caches, pools) is not per session.</summary>
    private const int WarmUpSessions = 200;

    /// <summary>Lets start-up work end that uses little CPU at a time.</summary>
    private const int SettleMilliseconds = 700;

    public IdleResult Run(IReadOnlyList<IProxyRecipe> recipes, Func<IProxyRecipe, RunningProxy> start)
    {
        var samples = recipes.ToDictionary(recipe => recipe.Id, _ => new List<IdleSample>());
        for (int round = 0; round < rounds; round++)
        {
            foreach (IProxyRecipe recipe in round % 2 == 0 ? recipes : recipes.Reverse())
            {
                cancellation.ThrowIfCancellationRequested();
                using RunningProxy proxy = start(recipe);
                samples[recipe.Id].Add(Measure(proxy));
            }
        }

        return new IdleResult(sessions, samples);
    }

    private IdleSample Measure(RunningProxy proxy)
    {
        var errors = new LoadErrors();
        Settle(proxy);
        long resident = proxy.Processes.ResidentBytes();

        using (var warmUp = new KeptConnections())
        {
            warmUp.Open(ProxyPorts.Endpoint(proxy.Ports.Echo), WarmUpSessions, errors);
        }

        Settle(proxy);
        long before = proxy.Processes.OwnMemoryBytes();
        using var connections = new KeptConnections();
        connections.Open(ProxyPorts.Endpoint(proxy.Ports.Echo), sessions, errors);
        Settle(proxy);
        long after = proxy.Processes.OwnMemoryBytes();
        connections.Verify(errors);

        // All at once, and then it must still serve.
        connections.Dispose();
        Settle(proxy);
        using var last = new KeptConnections();
        last.Open(ProxyPorts.Endpoint(proxy.Ports.Echo), 1, errors);
        return new IdleSample(
            proxy.StartTime.TotalMilliseconds, resident, (after - before) / (double)sessions, errors.Count, errors.First);
    }

    private static void Settle(RunningProxy proxy)
    {
        Thread.Sleep(SettleMilliseconds);
        proxy.Processes.WaitUntilQuiet();
    }
}
