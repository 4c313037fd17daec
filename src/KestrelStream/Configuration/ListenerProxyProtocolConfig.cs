namespace KestrelStream.Configuration;

/// <summary>Whether connections of a listener begin with a PROXY header, and who is believed.</summary>
public sealed record ListenerProxyProtocolConfig
{
    /// <summary>Default <see cref="ProxyProtocolMode.Off"/>: a header is the client's bytes.</summary>
    public ProxyProtocolMode Mode { get; init; }

    /// <summary>
    /// Who may send a header: networks (<c>10.0.0.0/8</c>), addresses, <c>unix:</c> for whoever connects to a unix socket. Needed unless Mode is Off.
    /// Anyone else is refused where headers are required, and is an ordinary client where they are optional.
    /// </summary>
    public IReadOnlyList<string> TrustedNetworks { get; init; } = [];

    /// <summary>Longest wait for the whole header, counted from accept. Default 10 s. Beyond it: <see cref="Sessions.SessionEndReason.ProxyHeaderTimeout"/>.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}
