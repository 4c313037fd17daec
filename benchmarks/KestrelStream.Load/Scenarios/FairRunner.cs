using System.Diagnostics;
using KestrelStream.Load.Client;
using KestrelStream.Load.Measuring;
using KestrelStream.Load.Proxies;

namespace KestrelStream.Load.Scenarios;

/// <summary>Latency of small messages while bulk downloads run through the same proxy, over several rounds on proxies that are all running.</summary>
internal sealed class FairRunner(int rounds, CancellationToken cancellation)
{
    /// <summary>A little over half a second: 25 messages above the 99th percentile.</summary>
    private const int Messages = 2_500;

    private const int WarmUpBursts = 4;
    private const int WarmUpPauseMilliseconds = 200;

    /// <summary>Downloads begin before the messages, for their windows to open.</summary>
    private const int LeadMilliseconds = 100;

    public FairResult Run(IReadOnlyList<RunningProxy> proxies)
    {
        var samples = proxies.ToDictionary(proxy => proxy.Recipe.Id, _ => new List<FairSample>());
        for (int burst = 0; burst < WarmUpBursts; burst++)
        {
            foreach (RunningProxy proxy in proxies)
            {
                _ = Measure(proxy);
            }

            Thread.Sleep(WarmUpPauseMilliseconds);
        }

        for (int round = 0; round < rounds; round++)
        {
            foreach (RunningProxy proxy in round % 2 == 0 ? proxies : proxies.Reverse())
            {
                samples[proxy.Recipe.Id].Add(Measure(proxy));
            }
        }

        return new FairResult(samples);
    }

    private FairSample Measure(RunningProxy proxy)
    {
        cancellation.ThrowIfCancellationRequested();
        var errors = new LoadErrors();
        using var messages = new PacedMessages(ProxyPorts.Endpoint(proxy.Ports.Echo));
        messages.Prepare(errors);
        proxy.Processes.WaitUntilQuiet();
        if (errors.Count > 0)
        {
            return new FairSample(0, 0, 0, errors.Count, errors.First);
        }

        double[] latencies;
        double gigabytesPerSecond;
        using (var downloads = new Downloads(ProxyPorts.Endpoint(proxy.Ports.Bulk), errors))
        {
            Thread.Sleep(LeadMilliseconds);
            long[] before = downloads.Received();
            long begin = Stopwatch.GetTimestamp();
            latencies = messages.Run(Messages, errors);
            TimeSpan elapsed = Stopwatch.GetElapsedTime(begin);
            long[] moved = [.. downloads.Received().Zip(before, (after, earlier) => after - earlier)];
            if (moved.Contains(0))
            {
                errors.Add("a download stood still");
            }

            gigabytesPerSecond = moved.Sum() / elapsed.TotalSeconds / 1e9;
        }

        // What the downloads leave behind is not to disturb the next proxy.
        proxy.Processes.WaitUntilQuiet();
        return new FairSample(
            Statistics.Quantile(latencies, 0.5), Statistics.Quantile(latencies, 0.99), gigabytesPerSecond, errors.Count, errors.First);
    }
}
