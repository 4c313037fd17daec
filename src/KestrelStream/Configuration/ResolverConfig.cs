namespace KestrelStream.Configuration;

/// <summary>Who is asked for the names of destinations, where it is not left to the operating system.</summary>
public sealed record ResolverConfig
{
    /// <summary>
    /// Name servers, <c>ip</c>, <c>ip:port</c> or <c>[v6]:port</c>, asked one after another until one answers. Empty (default): the operating
    /// system's resolver for host names, and the servers of <c>/etc/resolv.conf</c> for SRV records, which that resolver cannot look up.
    /// </summary>
    public IReadOnlyList<string> Servers { get; init; } = [];

    /// <summary>How long one server has for its answer. Default 2 s. Each is asked twice.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);
}
