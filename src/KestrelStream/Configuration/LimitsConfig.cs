namespace KestrelStream.Configuration;

/// <summary>How much of a listener or of a route its clients may take, all together and each. What is null is not limited.</summary>
/// <remarks>A session beyond a limit ends with <see cref="Sessions.SessionEndReason.LimitExceeded"/>, unless <see cref="Action"/> lets it wait.</remarks>
public sealed record LimitsConfig
{
    /// <summary>Most sessions at once. Unlike <see cref="ListenerConfig.MaxConnections"/> it counts those that access rules let in, and goes by <see cref="Action"/>.</summary>
    public int? MaxSessions { get; init; }

    /// <summary>Most sessions of one client at once.</summary>
    public int? MaxSessionsPerClient { get; init; }

    /// <summary>New sessions a second, of all clients together.</summary>
    public double? NewSessionsPerSecond { get; init; }

    /// <summary>New sessions of one client a second.</summary>
    public double? NewSessionsPerSecondPerClient { get; init; }

    /// <summary>TLS handshakes that are begun here a second, of all clients together.</summary>
    public double? HandshakesPerSecond { get; init; }

    /// <summary>TLS handshakes of one client that are begun here a second.</summary>
    public double? HandshakesPerSecondPerClient { get; init; }

    /// <summary>Who has been quiet for so long may come at once with what a rate allows in that time, and at least with one. Default 1 s.</summary>
    public TimeSpan Burst { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Bits of an IPv4 address that make a client: 32 = each address, 24 = its network. Default 32.</summary>
    public int ClientPrefixV4 { get; init; } = 32;

    /// <summary>Bits of an IPv6 address that make a client. Default 64: whoever has one address has the network.</summary>
    public int ClientPrefixV6 { get; init; } = 64;

    /// <summary>Payload to the client of one session a second; null or 0 = unlimited.</summary>
    public int? DownloadBytesPerSecond { get; init; }

    /// <summary>Payload from the client of one session a second; null or 0 = unlimited.</summary>
    public int? UploadBytesPerSecond { get; init; }

    /// <summary>What happens to a session beyond a limit. Default <see cref="LimitAction.Refuse"/>. Bandwidth is always a matter of waiting.</summary>
    public LimitAction Action { get; init; }

    /// <summary>With <see cref="LimitAction.Delay"/>: longest wait of a session; one that would have to wait longer is refused. Default 5 s.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(5);
}
