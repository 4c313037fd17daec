namespace KestrelStream.Configuration;

/// <summary>The separate HTTP port of the server: health, metrics, read-only API.</summary>
public sealed record AdminConfig
{
    /// <summary><c>ip:port</c>, <c>[v6]:port</c>, <c>*:port</c> (all addresses), <c>localhost:port</c> or <c>unix:/path</c>. Required. Keep it on loopback: it has no password.</summary>
    public string Address { get; init; } = "";
}
