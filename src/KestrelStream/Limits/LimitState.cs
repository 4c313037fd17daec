namespace KestrelStream.Limits;

/// <summary>What the limits of one listener or route have counted; lives over reloads. Thread-safe.</summary>
/// <param name="scope">Tells its clients from those of others in the <see cref="ClientTable"/>.</param>
internal sealed class LimitState(int scope)
{
    private int _sessions;

    public int Scope { get; } = scope;

    public SharedRate NewSessions { get; } = new();

    public SharedRate Handshakes { get; } = new();

    /// <summary>Sessions now.</summary>
    public int Sessions => Volatile.Read(ref _sessions);

    /// <summary>Counts a session in until <see cref="Leave"/>.</summary>
    public bool TryEnter(int max)
    {
        var sessions = Volatile.Read(ref _sessions);
        while (sessions < max)
        {
            var seen = Interlocked.CompareExchange(ref _sessions, sessions + 1, sessions);
            if (seen == sessions)
            {
                return true;
            }

            sessions = seen;
        }

        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _sessions);
}
