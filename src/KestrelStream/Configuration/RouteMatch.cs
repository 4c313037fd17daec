namespace KestrelStream.Configuration;

/// <summary>Conditions of a route. An omitted or empty list is no condition.</summary>
public sealed record RouteMatch
{
    /// <summary>
    /// Server names: <c>a.example.com</c>; <c>*.example.com</c> (any depth below, not the name itself); <c>.example.com</c> (both);
    /// <c>mail.*</c>; <c>~regex</c>. Case and one trailing dot are ignored.
    /// </summary>
    public IReadOnlyList<string> Sni { get; init; } = [];

    /// <summary>ALPN protocols, one of which the client must offer, byte for byte.</summary>
    public IReadOnlyList<string> Alpn { get; init; } = [];

    /// <summary>What the client speaks, one of: see <see cref="ClientProtocol"/>.</summary>
    public IReadOnlyList<ClientProtocol> Protocols { get; init; } = [];

    /// <summary>
    /// Where the client comes from, one of: networks (<c>10.0.0.0/8</c>), addresses, <c>unix:</c>. Others are left to other routes, unlike those that
    /// <see cref="RouteConfig.Deny"/> refuses. A PROXY header's client counts.
    /// </summary>
    public IReadOnlyList<string> ClientNetworks { get; init; } = [];

    /// <summary>
    /// What the connection begins with, one of: <c>text:EHLO </c> or <c>hex:00 ff</c>, 1 to 256 bytes. For protocols that <see cref="Protocols"/> does not know.
    /// TLS is never compared with it.
    /// </summary>
    public IReadOnlyList<string> FirstBytes { get; init; } = [];
}
