using KestrelStream.Sessions;

namespace KestrelStream.Admin.Live;

/// <summary>
/// What each running session moves a second, found by looking at its counters now and then while somebody asks: sessions themselves know nothing of
/// it. Nothing is kept of who has not been asked about for a while. Thread-safe.
/// </summary>
internal sealed class SessionRates(SessionTable sessions, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    /// <summary>After the last question.</summary>
    private static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(15);

    private readonly Lock _gate = new();
    private volatile Dictionary<long, Sample>? _samples;
    private ITimer? _timer;
    private long _lastAsked;

    /// <summary>Somebody wants to know. The first time the answer is not there yet.</summary>
    public void Ask()
    {
        Volatile.Write(ref _lastAsked, time.GetTimestamp());
        if (_samples is not null)
        {
            return;
        }

        lock (_gate)
        {
            if (_samples is null)
            {
                Look();
                _timer?.Dispose();
                _timer = time.CreateTimer(static rates => ((SessionRates)rates!).Tick(), this, Every, Every);
            }
        }
    }

    /// <summary>Bytes a second from and to the client; null = it has not been looked at twice.</summary>
    public (double In, double Out)? Of(StreamSession session)
        => _samples is { } samples && samples.TryGetValue(session.Id, out var sample) && sample.IsRate ? (sample.RateIn, sample.RateOut) : null;

    public void Dispose() => _timer?.Dispose();

    private void Tick()
    {
        lock (_gate)
        {
            if (time.GetElapsedTime(Volatile.Read(ref _lastAsked)) < KeptFor)
            {
                Look();
            }
            else
            {
                _samples = null;
                _timer?.Dispose();
                _timer = null;
            }
        }
    }

    private void Look()
    {
        var before = _samples;
        var now = time.GetTimestamp();
        var running = sessions.Snapshot();
        var samples = new Dictionary<long, Sample>(running.Count);
        foreach (var session in running)
        {
            var (bytesIn, bytesOut) = (Volatile.Read(ref session.BytesIn), Volatile.Read(ref session.BytesOut));
            if (before is not null && before.TryGetValue(session.Id, out var last) && time.GetElapsedTime(last.At, now).TotalSeconds is > 0 and var seconds)
            {
                samples[session.Id] = new Sample(now, bytesIn, bytesOut, true, (bytesIn - last.In) / seconds, (bytesOut - last.Out) / seconds);
            }
            else
            {
                samples[session.Id] = new Sample(now, bytesIn, bytesOut, false, 0, 0);
            }
        }

        _samples = samples;
    }

    private readonly record struct Sample(long At, long In, long Out, bool IsRate, double RateIn, double RateOut);
}
