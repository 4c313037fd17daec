using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Preread;

namespace KestrelStream.Routing;

/// <summary>What a route asks of a client besides its server name, compiled. Immutable.</summary>
internal sealed class RouteConditions
{
    private readonly byte[][] _alpn;
    private readonly bool _takesTls;

    public RouteConditions(RouteConfig config)
    {
        var match = config.Match;
        _alpn = match.Alpn.Count == 0 ? [] : [.. match.Alpn.Select(Encoding.UTF8.GetBytes)];
        _takesTls = match.Protocols.Count == 0 || match.Protocols.Contains(ClientProtocol.Tls);

        var terminates = config.Tls?.Mode == TlsMode.Terminate;
        Count = (match.Alpn.Count > 0 ? 1 : 0) + (match.Protocols.Count > 0 ? 1 : 0);
        IsTlsOnlyByTermination = terminates && match.Sni.Count == 0 && Count == 0;
        TakesNotTls = !terminates && match.Sni.Count == 0 && Count == 0;
        TakesSilence = match.Protocols.Contains(ClientProtocol.ServerFirst);
    }

    /// <summary>Kinds of conditions given: more of them win among routes that are equal by name.</summary>
    public int Count { get; }

    /// <summary>
    /// Nothing is asked for, but the route terminates, so it takes TLS only. It goes before the route without any condition, whatever their
    /// Order: the other way round it would never be reached, and the other one would still take what is not TLS.
    /// </summary>
    public bool IsTlsOnlyByTermination { get; }

    /// <summary>Whether <see cref="Check"/> never refuses.</summary>
    public bool TakesEveryHello => _takesTls && _alpn.Length == 0;

    /// <summary>Whether bytes that are not TLS may go this way: no condition asks for TLS.</summary>
    public bool TakesNotTls { get; }

    /// <summary>Whether a client that says nothing may go this way.</summary>
    public bool TakesSilence { get; }

    /// <summary>Whether the client's first bytes must be known before the route can be chosen; server names apart.</summary>
    public bool NeedsBytes => !TakesNotTls;

    /// <summary>The first condition that a hello does not meet.</summary>
    public RouteRefusal Check(in ClientHello hello)
    {
        if (!_takesTls)
        {
            return RouteRefusal.Protocol;
        }

        return _alpn.Length == 0 || OffersAny(hello) ? RouteRefusal.None : RouteRefusal.Alpn;
    }

    /// <summary>Equal for routes whose conditions, server names apart, are the same, whatever the order they are written in.</summary>
    public static string KeyOf(RouteConfig config)
    {
        var conditions = new RouteConditions(config);
        return conditions.Count == 0 && !conditions.IsTlsOnlyByTermination ? "" : KeyOf(config.Match) + (conditions.IsTlsOnlyByTermination ? "\n\ntls" : "");
    }

    private static string KeyOf(RouteMatch match)
        => string.Join('\n', match.Alpn.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)) + "\n\n"
            + string.Join('\n', match.Protocols.Distinct().Order());

    private bool OffersAny(in ClientHello hello)
    {
        foreach (var protocol in _alpn)
        {
            if (hello.OffersAlpn(protocol))
            {
                return true;
            }
        }

        return false;
    }
}
