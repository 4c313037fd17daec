namespace KestrelStream.Acme.Issuing;

/// <summary>The pauses between two looks at what an authority is working on. One per order; not thread-safe.</summary>
internal sealed class AcmePoll(AcmeTimings timings, TimeProvider time)
{
    private TimeSpan _next = timings.FirstPoll;

    /// <summary>How long the authority wants to be left alone, as its last answer says; null = it has not said.</summary>
    public TimeSpan? Hint { get; set; }

    /// <summary>Something else is looked at.</summary>
    public void Restart()
    {
        _next = timings.FirstPoll;
        Hint = null;
    }

    public Task WaitAsync(CancellationToken cancellation)
    {
        // The authority's word counts, but within what is a poll: its overall time is bounded.
        var wait = Hint > _next ? Hint.Value : _next;
        wait = wait < timings.LongestPoll ? wait : timings.LongestPoll;
        _next = _next * 1.5 < timings.LongestPoll ? _next * 1.5 : timings.LongestPoll;
        return Task.Delay(wait, time, cancellation);
    }
}
