namespace KestrelStream.Configuration;

/// <summary>What the whole process may take.</summary>
public sealed record ProcessLimitsConfig
{
    /// <summary>Most sessions at once, of all listeners; null = as many as there are descriptors for. One more is accepted and closed: <see cref="Sessions.SessionEndReason.ConnectionLimit"/>.</summary>
    public int? MaxSessions { get; init; }

    /// <summary>Bytes that all sessions together may hold while their PROXY headers and hellos are incomplete. Default 64 MiB. Beyond it: <see cref="Sessions.SessionEndReason.LimitExceeded"/>.</summary>
    public int PrereadBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>TLS handshakes with clients under way at once; the others wait in the order of their coming, within <see cref="ListenerConfig.HandshakeTimeout"/>. Null = unlimited.</summary>
    public int? MaxHandshakes { get; init; }

    /// <summary>Clients that limits by client keep account of at once; who has nothing on account is forgotten. Default 1,000,000, at most 60 bytes each.</summary>
    public int MaxClients { get; init; } = 1_000_000;
}
