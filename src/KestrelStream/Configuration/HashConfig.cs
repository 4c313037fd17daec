namespace KestrelStream.Configuration;

/// <summary>How the policy ConsistentHash chooses; other policies do not look at it.</summary>
public sealed record HashConfig
{
    /// <summary>Default <see cref="HashKey.ClientIp"/>. A session without the key (no server name, a client on a unix socket) is sent by turns.</summary>
    public HashKey Key { get; init; } = HashKey.ClientIp;

    /// <summary>
    /// Bounded load: no destination gets more than this times its share of the running sessions; what is beyond goes to the next one of the
    /// ring. 1 or more; null (default) = no bound.
    /// </summary>
    public double? BalanceFactor { get; init; }
}
