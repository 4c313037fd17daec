using KestrelStream.Load.Client;
using KestrelStream.Load.Measuring;
using KestrelStream.Load.Proxies;

namespace KestrelStream.Load.Scenarios;

/// <summary>Measures one scenario over several rounds on proxies that are all running.</summary>
internal sealed class CpuRunner(int rounds, CancellationToken cancellation)
{
    /// <summary>
    /// A just-in-time compiler replaces code that was called often, but only after a pause, and does so more than once: several
    /// bursts with pauses warm it up, one long run does not.
    /// </summary>
    private const int WarmUpBursts = 4;

    private const int WarmUpPauseMilliseconds = 200;

    public CpuResult Run(CpuScenario scenario, IReadOnlyList<RunningProxy> proxies)
    {
        var samples = proxies.ToDictionary(proxy => proxy.Recipe.Id, _ => new List<CpuSample>());
        WarmUp(scenario, proxies);
        for (int round = 0; round < rounds; round++)
        {
            // Forwards, backwards, forwards: who goes first or follows whom favours nobody.
            foreach (RunningProxy proxy in round % 2 == 0 ? proxies : proxies.Reverse())
            {
                samples[proxy.Recipe.Id].Add(Measure(scenario, proxy));
            }
        }

        return new CpuResult(scenario, samples);
    }

    private void WarmUp(CpuScenario scenario, IReadOnlyList<RunningProxy> proxies)
    {
        for (int burst = 0; burst < WarmUpBursts; burst++)
        {
            foreach (RunningProxy proxy in proxies)
            {
                _ = Measure(scenario, proxy);
            }

            Thread.Sleep(WarmUpPauseMilliseconds);
        }
    }

    private CpuSample Measure(CpuScenario scenario, RunningProxy proxy)
    {
        cancellation.ThrowIfCancellationRequested();
        var errors = new LoadErrors();
        using ILoad load = scenario.Create(proxy.Ports);
        load.Prepare(errors);
        proxy.Processes.WaitUntilQuiet();
        long before = proxy.Processes.CpuNanoseconds();
        if (errors.Count == 0)
        {
            load.Run(scenario.Amount, errors);
        }

        proxy.Processes.WaitUntilQuiet();
        long used = proxy.Processes.CpuNanoseconds() - before;
        return new CpuSample(used / (double)scenario.Amount / scenario.NanosecondsPerFigure, errors.Count, errors.First);
    }
}
