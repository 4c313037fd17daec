namespace KestrelStream.Configuration;

/// <summary>An address that is accepted on, with what every connection there may take before it has a route.</summary>
public sealed record ListenerConfig
{
    /// <summary><c>ip:port</c>, <c>[v6]:port</c>, <c>*:port</c> (IPv4 and IPv6), <c>localhost:port</c> (both loopbacks) or <c>unix:/path</c>. Required. Port 0 takes a free one.</summary>
    public string Address { get; init; } = "";

    /// <summary>
    /// Longest wait for the bytes that routing needs, counted from accept, not re-armed by a byte. Default 30 s (nginx's preread_timeout).
    /// Beyond it: <see cref="Sessions.SessionEndReason.PrereadTimeout"/>.
    /// </summary>
    public TimeSpan PrereadTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Silence after which a route with <see cref="RouteMatch.Protocols"/> <c>ServerFirst</c> takes the connection. Default 500 ms; used only where such a route exists.</summary>
    public TimeSpan ServerFirstAfter { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Most bytes kept while a ClientHello is incomplete, record headers included. Default 32,768: a legal hello may be longer than nginx's 16 KiB.
    /// 1,024 to 65,536. Beyond it: <see cref="Sessions.SessionEndReason.PrereadTooLarge"/>.
    /// </summary>
    public int PrereadBufferBytes { get; init; } = 32768;

    /// <summary>Longest TLS handshake of a terminated session, from the end of preread. Default 60 s (nginx's ssl_handshake_timeout). Beyond it: <see cref="Sessions.SessionEndReason.ClientTlsTimeout"/>.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>Connections the kernel may hold before they are accepted. Default 4,096; the kernel caps it at net.core.somaxconn.</summary>
    public int Backlog { get; init; } = 4096;

    /// <summary>Most sessions at once on this listener; null = unlimited. One more is accepted and closed: <see cref="Sessions.SessionEndReason.ConnectionLimit"/>.</summary>
    public int? MaxConnections { get; init; }

    /// <summary>Whether connections begin with a PROXY header; null = they do not.</summary>
    public ListenerProxyProtocolConfig? ProxyProtocol { get; init; }

    /// <summary>
    /// Networks whose clients may come, as <c>10.0.0.0/8</c>, an address, or <c>unix:</c>; with any here or in <see cref="AllowFile"/> nobody else may. Where networks of both lists
    /// hold a client, the smaller one decides. Beyond them: <see cref="Sessions.SessionEndReason.AccessDenied"/>.
    /// </summary>
    public IReadOnlyList<string> Allow { get; init; } = [];

    /// <summary>Networks whose clients may not come.</summary>
    public IReadOnlyList<string> Deny { get; init; } = [];

    /// <summary>A file with more of <see cref="Allow"/>, one a line. It is watched.</summary>
    public string? AllowFile { get; init; }

    /// <summary>A file with more of <see cref="Deny"/>, one a line. It is watched.</summary>
    public string? DenyFile { get; init; }

    /// <summary>What a client meets that may not come. Default <see cref="RefusalAction.Refuse"/>.</summary>
    public RefusalAction DenyAction { get; init; }

    /// <summary>How much clients may take; null = no limits.</summary>
    public LimitsConfig? Limits { get; init; }

    /// <summary>How clients are spoken to until they ask for TLS; null = as its defaults say.</summary>
    public ListenerStartTlsConfig? StartTls { get; init; }
}
