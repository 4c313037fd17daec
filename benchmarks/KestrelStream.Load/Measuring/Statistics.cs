namespace KestrelStream.Load.Measuring;

/// <summary>What is made of many samples. Between rounds always the median: it shrugs off the round in which the machine was busy with something else.</summary>
internal static class Statistics
{
    public static double? Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        int middle = sorted.Length / 2;
        return sorted.Length switch
        {
            0 => null,
            var length when length % 2 == 1 => sorted[middle],
            _ => (sorted[middle - 1] + sorted[middle]) / 2,
        };
    }

    /// <summary>The smallest sample that <paramref name="share"/> of all samples do not exceed; 0 when there is none.</summary>
    public static double Quantile(ReadOnlySpan<double> sorted, double share)
        => sorted.IsEmpty ? 0 : sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
}
