namespace KestrelStream.Limits;

/// <summary>What each client may take under some limits. Immutable.</summary>
/// <param name="MaxSessions">At once.</param>
/// <param name="Sessions">New ones.</param>
/// <param name="Handshakes">Begun here.</param>
internal sealed record ClientLimits(int MaxSessions, RateLimit Sessions, RateLimit Handshakes);
