using KestrelStream.Load.Client;
using KestrelStream.Load.Measuring;
using KestrelStream.Load.Proxies;

namespace KestrelStream.Load.Scenarios;

/// <summary>Measures one scenario over several rounds on proxies that are all running.</summary>
internal sealed class CpuRunner(int rounds, double scale, CancellationToken cancellation)
{
    /// <summary>
    /// A just-in-time compiler replaces code that was called often, but only after a pause, and does so more than once: several
    /// bursts with pauses warm it up, one long run does not.
    /// </summary>
    private const int WarmUpBursts = 4;

    private const int WarmUpPauseMilliseconds = 200;

    /// <summary>Share of a round that each burst of the warm-up is.</summary>
    private const int WarmUpDivisor = 5;

    /// <summary>
    /// The speed of a machine drifts within seconds (clock, neighbours, the other hyper-thread). Short slices that take turns put every
    /// proxy through the same drift. An even number, so that both orders weigh the same.
    /// </summary>
    private const int SlicesPerRound = 4;

    public CpuResult Run(CpuScenario scenario, IReadOnlyList<RunningProxy> proxies)
    {
        long amount = (long)(scenario.Amount * scale);
        var samples = proxies.ToDictionary(proxy => proxy.Recipe.Id, _ => new List<CpuSample>());
        foreach (RunningProxy proxy in proxies)
        {
            WarmUp(scenario, proxy, amount / WarmUpDivisor);
        }

        for (int round = 0; round < rounds; round++)
        {
            foreach ((string proxy, CpuSample sample) in MeasureRound(scenario, proxies, amount / SlicesPerRound))
            {
                samples[proxy].Add(sample);
            }
        }

        return new CpuResult(scenario, samples);
    }

    /// <summary>One sample of each proxy, its work done in slices between those of the others.</summary>
    private Dictionary<string, CpuSample> MeasureRound(CpuScenario scenario, IReadOnlyList<RunningProxy> proxies, long slice)
    {
        var sums = proxies.ToDictionary(proxy => proxy.Recipe.Id, _ => new CpuSample(0, 0, null));
        for (int i = 0; i < SlicesPerRound; i++)
        {
            // Forwards, backwards, forwards: who goes first or follows whom favours nobody.
            foreach (RunningProxy proxy in i % 2 == 0 ? proxies : proxies.Reverse())
            {
                CpuSample sum = sums[proxy.Recipe.Id];
                CpuSample sample = Measure(scenario, proxy, slice);
                sums[proxy.Recipe.Id] = new CpuSample(
                    sum.Figure + (sample.Figure / SlicesPerRound), sum.Errors + sample.Errors, sum.FirstError ?? sample.FirstError);
            }
        }

        return sums;
    }

    private void WarmUp(CpuScenario scenario, RunningProxy proxy, long amount)
    {
        for (int burst = 0; burst < WarmUpBursts; burst++)
        {
            CpuSample sample = Measure(scenario, proxy, amount);
            if (sample.Errors > 0)
            {
                return;
            }

            Thread.Sleep(WarmUpPauseMilliseconds);
        }
    }

    private CpuSample Measure(CpuScenario scenario, RunningProxy proxy, long amount)
    {
        cancellation.ThrowIfCancellationRequested();
        var errors = new LoadErrors();
        using ILoad load = scenario.Create(proxy.Ports);
        load.Prepare(errors);
        proxy.Processes.WaitUntilQuiet();
        long before = proxy.Processes.CpuNanoseconds();
        if (errors.Count == 0)
        {
            load.Run(amount, errors);
        }

        proxy.Processes.WaitUntilQuiet();
        long used = proxy.Processes.CpuNanoseconds() - before;
        return new CpuSample(used / (double)amount / scenario.NanosecondsPerFigure, errors.Count, errors.First);
    }
}
