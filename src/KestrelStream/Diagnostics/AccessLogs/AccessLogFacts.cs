namespace KestrelStream.Diagnostics.AccessLogs;

/// <summary>What few sessions have: the many fields about it are passed over at once.</summary>
[Flags]
internal enum AccessLogFacts
{
    None = 0,
    Tls = 1,
    ProxyHeader = 2,
    UpstreamTls = 4,
    TcpInfo = 8,
}
