namespace KestrelStream.Model;

/// <summary>
/// Moving average of the dial times of one destination. Mutable, thread-safe: of two samples at the same moment one may be lost.
/// </summary>
internal struct DialLatency
{
    /// <summary>Shorter times are all the same. Also what a destination counts as that nobody has dialled yet.</summary>
    private const float Least = 0.1f;

    /// <summary>The weight of a sample, as in TCP's smoothed round-trip time (RFC 6298 §2).</summary>
    private const float SampleShare = 1 / 8f;

    private float _milliseconds;
    private long _sampled;

    /// <summary>A little more than it is, and so never 0.</summary>
    public readonly float Milliseconds => Volatile.Read(in _milliseconds) + Least;

    /// <param name="dialTime">The sample.</param>
    /// <param name="now">Its time.</param>
    /// <param name="oldest">An average whose last sample is older is forgotten.</param>
    public void Add(TimeSpan dialTime, long now, long oldest)
    {
        var sample = (float)dialTime.TotalMilliseconds;
        var average = Volatile.Read(ref _milliseconds);
        var isFirst = average == 0 || Volatile.Read(ref _sampled) < oldest;
        Volatile.Write(ref _milliseconds, isFirst ? sample : average + ((sample - average) * SampleShare));
        Volatile.Write(ref _sampled, now);
    }

    /// <summary>Halves the average when its last sample is older than <paramref name="oldest"/>.</summary>
    public void Age(long oldest)
    {
        if (Volatile.Read(ref _sampled) < oldest)
        {
            Volatile.Write(ref _milliseconds, Volatile.Read(ref _milliseconds) / 2);
        }
    }
}
