using KestrelStream.Load.Measuring;
using KestrelStream.Load.Proxies;

namespace KestrelStream.Load.Scenarios;

/// <summary>All rounds of one scenario: samples by proxy id, in round order.</summary>
internal sealed record CpuResult(CpuScenario Scenario, IReadOnlyDictionary<string, List<CpuSample>> Samples)
{
    /// <summary>Largest distance from 1 at which nginx still counts as equal to itself.</summary>
    private const double SelfCheckTolerance = 0.05;

    public int Errors(string proxy) => Samples[proxy].Sum(sample => sample.Errors);

    public string? FirstError(string proxy) => Samples[proxy].FirstOrDefault(sample => sample.FirstError is not null)?.FirstError;

    /// <summary>Median figure; null when void or not measured.</summary>
    public double? Figure(string proxy)
        => IsSound(proxy) ? Statistics.Median(Samples[proxy].Select(sample => sample.Figure)) : null;

    /// <summary>Median of the ratios of each round, so that a slow spell of the machine hits both sides of a division.</summary>
    public double? Ratio(string proxy, string baseline)
        => IsSound(proxy) && IsSound(baseline)
            ? Statistics.Median(Samples[proxy].Zip(Samples[baseline], (own, other) => own.Figure / other.Figure))
            : null;

    /// <summary>Whether nginx against itself came out as 1; null when it was not measured twice.</summary>
    public bool? SelfCheckHolds()
        => Ratio(ProxyCatalog.SelfCheck, ProxyCatalog.Baseline) is { } ratio ? Math.Abs(ratio - 1) <= SelfCheckTolerance : null;

    private bool IsSound(string proxy) => Samples.ContainsKey(proxy) && Samples[proxy].Count > 0 && Errors(proxy) == 0;
}
