using KestrelStream.Load.Measuring;
using KestrelStream.Load.Proxies;

namespace KestrelStream.Load.Scenarios;

/// <summary>All rounds of the latency scenario: samples by proxy id, in round order.</summary>
internal sealed record FairResult(IReadOnlyDictionary<string, List<FairSample>> Samples)
{
    /// <summary>Largest distance of the p99 ratio from 1 at which nginx still counts as equal to itself. Wider than for CPU time, which repeats far better.</summary>
    public const double SelfCheckTolerance = 0.15;

    public int Errors(string proxy) => Samples[proxy].Sum(sample => sample.Errors);

    public string? FirstError(string proxy) => Samples[proxy].FirstOrDefault(sample => sample.FirstError is not null)?.FirstError;

    /// <summary>Median over the rounds of one value; null when void or not measured.</summary>
    public double? Figure(string proxy, Func<FairSample, double> value)
        => IsSound(proxy) ? Statistics.Median(Samples[proxy].Select(value)) : null;

    /// <summary>Median of the ratios to nginx of each round.</summary>
    public double? Ratio(string proxy, Func<FairSample, double> value)
        => IsSound(proxy) && IsSound(ProxyCatalog.Baseline)
            ? Statistics.Median(Samples[proxy].Zip(Samples[ProxyCatalog.Baseline], (own, nginx) => value(own) / value(nginx)))
            : null;

    /// <summary>Whether the p99 of nginx against itself came out as 1; null when it was not measured twice.</summary>
    public bool? SelfCheckHolds()
        => Ratio(ProxyCatalog.SelfCheck, sample => sample.P99) is { } ratio ? Math.Abs(ratio - 1) <= SelfCheckTolerance : null;

    private bool IsSound(string proxy) => Samples.ContainsKey(proxy) && Samples[proxy].Count > 0 && Errors(proxy) == 0;
}
