using System.Net;
using System.Text;
using KestrelStream.Access;
using KestrelStream.Configuration;
using KestrelStream.Preread;
using KestrelStream.Preread.Detection;

namespace KestrelStream.Routing;

/// <summary>What a route asks of a client besides its server name, compiled. Immutable.</summary>
internal sealed class RouteConditions
{
    private readonly byte[][] _alpn;
    private readonly bool _takesTls;
    private readonly ClientProtocol[] _protocols;
    private readonly FirstBytesPattern[] _firstBytes;

    /// <summary>Null = clients from everywhere.</summary>
    private readonly NetworkTable? _networks;
    private readonly bool _takesUnix;

    public RouteConditions(RouteConfig config)
    {
        var match = config.Match;
        var terminates = config.Tls?.Mode == TlsMode.Terminate;
        _alpn = match.Alpn.Count == 0 ? [] : [.. match.Alpn.Select(Encoding.UTF8.GetBytes)];
        _takesTls = (match.Protocols.Count == 0 || match.Protocols.Contains(ClientProtocol.Tls)) && match.FirstBytes.Count == 0;
        _protocols = match.Protocols.Count == 0 ? [] : [.. match.Protocols.Where(ProtocolDetector.IsToldByBytes).Distinct()];
        _firstBytes = match.FirstBytes.Count == 0 ? [] : [.. match.FirstBytes.Select(Compile)];

        if (match.ClientNetworks.Count > 0)
        {
            _networks = new NetworkTable([.. match.ClientNetworks.Where(text => !NetworkSyntax.IsUnix(text)).Select(Network).Distinct().Select(network => (network, AccessVerdict.Allow))]);
            _takesUnix = match.ClientNetworks.Any(NetworkSyntax.IsUnix);
        }

        Count = CountOf(match);
        var asksForTls = terminates || match.Sni.Count > 0 || match.Alpn.Count > 0;
        IsTlsOnlyByTermination = terminates && match.Sni.Count == 0 && Count - (_networks is null ? 0 : 1) == 0;
        TakesNotTls = !asksForTls && (match.Protocols.Count == 0 || _protocols.Length > 0);
        NeedsBytes = asksForTls || match.Protocols.Count > 0 || match.FirstBytes.Count > 0;
        TakesSilence = match.Protocols.Contains(ClientProtocol.ServerFirst);
    }

    /// <summary>Kinds of conditions given: more of them win among routes that are equal by name.</summary>
    public int Count { get; }

    /// <summary>
    /// Nothing is asked for, but the route terminates, so it takes TLS only. It goes before the route without any condition, whatever their
    /// Order: the other way round it would never be reached, and the other one would still take what is not TLS.
    /// </summary>
    public bool IsTlsOnlyByTermination { get; }

    /// <summary>Whether <see cref="Check"/> and <see cref="TakesClient(EndPoint?)"/> never refuse.</summary>
    public bool TakesEveryHello => _takesTls && _alpn.Length == 0 && _networks is null;

    /// <summary>Whether bytes that are not TLS may go this way, if <see cref="Judge"/> says so: no condition asks for TLS.</summary>
    public bool TakesNotTls { get; }

    /// <summary>Whether a client that says nothing may go this way.</summary>
    public bool TakesSilence { get; }

    /// <summary>Whether the client's first bytes must be known before the route can be chosen.</summary>
    public bool NeedsBytes { get; }

    /// <summary>Whether the client comes from where it must.</summary>
    public bool TakesClient(EndPoint? client) => _networks is null || TakesClient(_networks, client);

    /// <summary>The first condition that a hello does not meet.</summary>
    public RouteRefusal Check(in ClientHello hello)
    {
        if (!_takesTls)
        {
            return RouteRefusal.Protocol;
        }

        return _alpn.Length == 0 || OffersAny(hello) ? RouteRefusal.None : RouteRefusal.Alpn;
    }

    /// <summary>Whether bytes that are not TLS meet the conditions, of a route that <see cref="TakesNotTls"/>. Each kind of condition must hold, by any one of its values.</summary>
    public ProtocolVerdict Judge(ReadOnlySpan<byte> bytes)
    {
        var verdict = _protocols.Length == 0 ? ProtocolVerdict.Yes : ProtocolVerdict.No;
        foreach (var protocol in _protocols)
        {
            verdict = Either(verdict, ProtocolDetector.Judge(protocol, bytes));
        }

        if (_firstBytes.Length == 0 || verdict == ProtocolVerdict.No)
        {
            return verdict;
        }

        var begins = ProtocolVerdict.No;
        foreach (var pattern in _firstBytes)
        {
            begins = Either(begins, pattern.Judge(bytes));
        }

        return (ProtocolVerdict)Math.Min((int)verdict, (int)begins);
    }

    /// <summary>Equal for routes whose conditions, server names apart, are the same, whatever the order they are written in. Of routes with mistakes too.</summary>
    public static string KeyOf(RouteConfig config)
        => config.StartTls + (CountOf(config.Match) > 0 ? KeyOf(config.Match) : "")
            + (config.Tls?.Mode == TlsMode.Terminate && config.Match is { Sni.Count: 0, Alpn.Count: 0, Protocols.Count: 0 } && config.StartTls is null ? "tls" : "");

    private static int CountOf(RouteMatch match)
        => (match.Alpn.Count > 0 ? 1 : 0) + (match.Protocols.Count > 0 ? 1 : 0) + (match.FirstBytes.Count > 0 ? 1 : 0) + (match.ClientNetworks.Count > 0 ? 1 : 0);

    private static IPNetwork Network(string text)
        => NetworkSyntax.TryParse(text, out var network)
            ? network
            : throw new ArgumentException($"{ErrorText.Quote(text)} is no network. A configuration is validated before it is compiled.");

    private bool TakesClient(NetworkTable networks, EndPoint? client)
        => client is IPEndPoint { Address: var address } ? networks[address] == AccessVerdict.Allow : _takesUnix && client is System.Net.Sockets.UnixDomainSocketEndPoint;

    private static string KeyOf(RouteMatch match)
        => string.Join('\n', match.Alpn.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)) + "\n\n"
            + string.Join('\n', match.Protocols.Distinct().Order()) + "\n\n"
            + string.Join('\n', match.ClientNetworks.Select(text => NetworkSyntax.TryParse(text, out var network) ? network.ToString() : text).Distinct().Order(StringComparer.Ordinal)) + "\n\n"
            + string.Join('\n', match.FirstBytes.Select(text => FirstBytesPattern.TryParse(text, out var pattern, out _) ? pattern!.Key : text).Distinct().Order(StringComparer.Ordinal));

    /// <summary>No &lt; need more &lt; yes: a no of one takes nothing from what another may still become.</summary>
    private static ProtocolVerdict Either(ProtocolVerdict a, ProtocolVerdict b) => (ProtocolVerdict)Math.Max((int)a, (int)b);

    private static FirstBytesPattern Compile(string text)
        => FirstBytesPattern.TryParse(text, out var pattern, out var error)
            ? pattern!
            : throw new ArgumentException($"{ErrorText.Quote(text)}: {error}. A configuration is validated before it is compiled.");

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
