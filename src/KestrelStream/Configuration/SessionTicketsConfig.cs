namespace KestrelStream.Configuration;

/// <summary>Session tickets of a route that terminates TLS: what they are encrypted with, and for how long. Only where OpenSSL ends TLS.</summary>
public sealed record SessionTicketsConfig
{
    /// <summary>Tickets are issued. Default true; false leaves resumption to <see cref="RouteTlsConfig.SessionCacheSize"/>.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// A new key encrypts after so long; those before it open tickets for <see cref="RouteTlsConfig.SessionTimeout"/> more, and are forgotten then. Default 1 hour.
    /// No part in it has a route with <see cref="KeyFiles"/>.
    /// </summary>
    public TimeSpan RotationInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Files of 48 or 80 random bytes, as nginx's <c>ssl_session_ticket_key</c>, that several proxies share: the first encrypts, all of them open tickets. Watched.
    /// Relative to the config file. Empty (default) = keys are made here and never leave the process.
    /// </summary>
    public IReadOnlyList<string> KeyFiles { get; init; } = [];

    public bool Equals(SessionTicketsConfig? other)
        => other is not null && Enabled == other.Enabled && RotationInterval == other.RotationInterval && KeyFiles.SequenceEqual(other.KeyFiles);

    public override int GetHashCode() => HashCode.Combine(Enabled, RotationInterval, KeyFiles.Count);
}
