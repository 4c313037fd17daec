namespace KestrelStream.Configuration;

/// <summary>How clients are spoken to until they ask for TLS; for routes with <see cref="RouteConfig.StartTls"/> of a protocol in which the server speaks first.</summary>
public sealed record ListenerStartTlsConfig
{
    /// <summary>Default <see cref="StartTlsGreeting.Proxy"/>.</summary>
    public StartTlsGreeting Greeting { get; init; }

    /// <summary>Host name in the proxy's own greeting and answers; null = that of the machine. Letters, digits, '-' and dots.</summary>
    public string? Name { get; init; }
}
