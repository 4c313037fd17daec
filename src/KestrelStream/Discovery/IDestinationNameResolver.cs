using System.Net;

namespace KestrelStream.Discovery;

/// <summary>
/// Looks up the addresses of host names of destinations where the configuration has no name servers. Register another one to replace the
/// operating system's. Thread-safe.
/// </summary>
public interface IDestinationNameResolver
{
    /// <summary>All IPv4 and IPv6 addresses of a name, in any order. None, or any exception, is a failed lookup.</summary>
    /// <param name="host">As the configuration writes it, in lower case.</param>
    /// <param name="cancellationToken">Nobody needs the answer any more.</param>
    ValueTask<IReadOnlyList<IPAddress>> ResolveAsync(string host, CancellationToken cancellationToken);
}
