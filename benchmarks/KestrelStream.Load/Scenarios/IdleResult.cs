using KestrelStream.Load.Measuring;

namespace KestrelStream.Load.Scenarios;

/// <summary>All starts of every proxy: samples by proxy id.</summary>
internal sealed record IdleResult(int Sessions, IReadOnlyDictionary<string, List<IdleSample>> Samples)
{
    public int Errors(string proxy) => Samples[proxy].Sum(sample => sample.Errors);

    public string? FirstError(string proxy) => Samples[proxy].FirstOrDefault(sample => sample.FirstError is not null)?.FirstError;

    /// <summary>Median of one value; null when any session failed.</summary>
    public double? Median(string proxy, Func<IdleSample, double> value)
        => Errors(proxy) == 0 ? Statistics.Median(Samples[proxy].Select(value)) : null;
}
