namespace KestrelStream.Acme.Issuing;

/// <summary>How long nothing is asked of an authority after failures. Pure.</summary>
internal static class BackOff
{
    /// <summary>Part of the wait that chance adds: certificates that failed together come back one by one.</summary>
    private const double Jitter = 0.2;

    private const int MaxDoublings = 20;

    /// <param name="failures">In a row; at least 1.</param>
    /// <param name="retryAfter">What the authority asks for: never less than that. Null = nothing.</param>
    /// <param name="timings">First and longest wait.</param>
    /// <param name="random">0 to 1.</param>
    public static TimeSpan After(int failures, TimeSpan? retryAfter, AcmeTimings timings, double random)
    {
        var doubled = timings.FirstRetry * Math.Pow(2, Math.Min(failures - 1, MaxDoublings));
        var wait = doubled < timings.LongestRetry ? doubled : timings.LongestRetry;
        wait = retryAfter > wait ? retryAfter.Value : wait;
        return wait * (1 + (Jitter * random));
    }
}
