
namespace KestrelStream.Limits;

/// <summary>
/// A token bucket as one number (GCRA): the time at which it will be full again. What is taken moves that time on by one interval; it may lie ahead of now
/// by the burst. Immutable; the time itself is kept by whoever asks.
/// </summary>
/// <remarks>Times are ticks of <see cref="TimeProvider.GetTimestamp"/>. A bucket whose time is past is full: it says nothing, and need not be kept.</remarks>
internal readonly struct RateLimit
{
    private readonly long _interval;
    private readonly long _burst;
    private readonly long _maxWait;
    private readonly double _secondsPerTick;

    /// <param name="perSecond">Null = unlimited.</param>
    /// <param name="burst">How much comes at once, as the time in which it would come by the rate.</param>
    /// <param name="maxWait">How long one who comes too early may be told to wait.</param>
    /// <param name="frequency">Ticks a second.</param>
    public RateLimit(double? perSecond, TimeSpan burst, TimeSpan maxWait, long frequency)
    {
        if (perSecond is { } rate)
        {
            _interval = Math.Max(1, (long)(frequency / rate));
            _burst = Math.Max(_interval, (long)(burst.TotalSeconds * frequency));
            _maxWait = (long)(maxWait.TotalSeconds * frequency);
            _secondsPerTick = 1.0 / frequency;
        }
    }

    public bool IsSet => _interval != 0;

    /// <summary>Whether one may be taken now, or after a wait.</summary>
    /// <param name="full">When the bucket is full.</param>
    /// <param name="now">Now.</param>
    /// <param name="next">When it is full after that; to be kept if the answer is yes.</param>
    /// <param name="wait">Zero = at once.</param>
    public bool Allows(long full, long now, out long next, out TimeSpan wait)
    {
        next = Math.Max(full, now) + _interval;
        var early = next - now - _burst;
        wait = early <= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(early * _secondsPerTick);
        return early <= _maxWait;
    }
}
