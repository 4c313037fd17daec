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

    /// <summary>Downloads begin before the messages and go on after them, for their windows to open and for messages that come late.</summary>
    private static readonly TimeSpan s_margin = TimeSpan.FromMilliseconds(100);

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
        double[] latencies = [];
        if (errors.Count == 0)
        {
            var downloads = new PacedDownloads(ProxyPorts.Endpoint(proxy.Ports.Bulk), errors);
            downloads.Start(TimeSpan.FromMicroseconds(Messages * (double)PacedMessages.IntervalMicroseconds) + (2 * s_margin));
            Thread.Sleep(s_margin);
            latencies = messages.Run(Messages, errors);
            downloads.Wait();
        }

        return new FairSample(Statistics.Quantile(latencies, 0.5), Statistics.Quantile(latencies, 0.99), errors.Count, errors.First);
    }
}
