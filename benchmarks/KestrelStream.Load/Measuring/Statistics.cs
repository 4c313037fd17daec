namespace KestrelStream.Load.Measuring;

/// <summary>The one statistic used: a median shrugs off the round in which the machine was busy with something else.</summary>
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
}
