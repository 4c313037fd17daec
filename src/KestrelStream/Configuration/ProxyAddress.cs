using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KestrelStream.Access;

namespace KestrelStream.Configuration;

/// <summary>An address as the config writes it, of a listener, of the admin port or of a destination. Immutable.</summary>
internal sealed record ProxyAddress
{
    private const string UnixPrefix = "unix:";

    private const string SrvPrefix = "srv+";

    private const string ServerName = "{sni}";

    /// <summary>sun_path holds 108 bytes with its terminating zero (unix(7)).</summary>
    private const int MaxUnixPathBytes = 107;

    private ProxyAddress(ProxyAddressKind kind, string host, int port, IPAddress? ip)
    {
        Kind = kind;
        Host = host;
        Port = port;
        Ip = ip;
    }

    public ProxyAddressKind Kind { get; }

    /// <summary>Host name, IP without brackets, <c>*</c>, or the path of a unix socket.</summary>
    public string Host { get; }

    /// <summary>0 for a unix socket and for SRV records; 0 for a listener that takes a free port.</summary>
    public int Port { get; }

    /// <summary>Set when <see cref="Kind"/> is <see cref="ProxyAddressKind.Ip"/>.</summary>
    public IPAddress? Ip { get; }

    /// <summary>To listen on it is to listen on every address of the machine.</summary>
    public bool IsEveryAddress => Kind == ProxyAddressKind.Any || (Ip is { } ip && (ip.Equals(IPAddress.IPv6Any) || NetworkSyntax.Plain(ip).Equals(IPAddress.Any)));

    /// <summary>Nobody outside this machine comes there.</summary>
    public bool IsLocal => Kind is ProxyAddressKind.Localhost or ProxyAddressKind.Unix || (Ip is { } ip && IPAddress.IsLoopback(ip));

    /// <summary>The same host at another port.</summary>
    public ProxyAddress WithPort(int port) => new(Kind, Host, port, Ip);

    /// <summary>Where to dial, in this order; more than one for localhost alone.</summary>
    /// <exception cref="InvalidOperationException">It is a name that has to be looked up, or <c>*</c>.</exception>
    public EndPoint[] ToEndPoints() => Kind switch
    {
        ProxyAddressKind.Ip => [new IPEndPoint(Ip!, Port)],
        ProxyAddressKind.Unix => [new UnixDomainSocketEndPoint(Host)],

        // RFC 6761 §6.3: nobody has to be asked. Most servers on this machine listen on the first one, some on the other alone.
        ProxyAddressKind.Localhost when Socket.OSSupportsIPv6 => [new IPEndPoint(IPAddress.Loopback, Port), new IPEndPoint(IPAddress.IPv6Loopback, Port)],
        ProxyAddressKind.Localhost => [new IPEndPoint(IPAddress.Loopback, Port)],

        // Another one for every session.
        ProxyAddressKind.Dynamic => [],
        _ => throw new InvalidOperationException($"{this} is not an address to dial."),
    };

    public override string ToString() => Kind switch
    {
        ProxyAddressKind.Unix => UnixPrefix + Host,
        ProxyAddressKind.Srv => SrvPrefix + Host,
        ProxyAddressKind.Ip when Ip!.AddressFamily == AddressFamily.InterNetworkV6 => $"[{Host}]:{Port}",
        _ => $"{Host}:{Port}",
    };

    /// <summary><c>ip:port</c>, <c>[v6]:port</c>, <c>*:port</c>, <c>localhost:port</c>, <c>unix:/path</c>; port 0 allowed.</summary>
    public static bool TryParseListen(string? text, out ProxyAddress? address)
        => TryParse(text, 0, out address) && address!.Kind is not (ProxyAddressKind.Host or ProxyAddressKind.Srv or ProxyAddressKind.Dynamic);

    /// <summary>One of the addresses that a name has.</summary>
    public static ProxyAddress Of(IPEndPoint endPoint) => new(ProxyAddressKind.Ip, endPoint.Address.ToString(), endPoint.Port, endPoint.Address);

    /// <summary><c>ip:port</c>, <c>[v6]:port</c>, <c>host:port</c>, <c>localhost:port</c>, <c>unix:/path</c>, <c>srv+_service._proto.domain</c>, <c>{sni}:port</c>; port 1 to 65535.</summary>
    public static bool TryParseDestination(string? text, out ProxyAddress? address)
        => TryParse(text, 1, out address) && address!.Kind != ProxyAddressKind.Any;

    private static bool TryParse(string? text, int lowestPort, out ProxyAddress? address)
    {
        address = null;
        if (string.IsNullOrEmpty(text))
        {
            return false;
        }

        if (text.StartsWith(UnixPrefix, StringComparison.OrdinalIgnoreCase))
        {
            var path = text[UnixPrefix.Length..];
            if (path.Length == 0 || System.Text.Encoding.UTF8.GetByteCount(path) > MaxUnixPathBytes)
            {
                return false;
            }

            address = new ProxyAddress(ProxyAddressKind.Unix, path, 0, null);
            return true;
        }

        if (text.StartsWith(SrvPrefix, StringComparison.OrdinalIgnoreCase))
        {
            var service = text[SrvPrefix.Length..];
            if (!IsServiceName(service))
            {
                return false;
            }

            address = new ProxyAddress(ProxyAddressKind.Srv, service.ToLowerInvariant().TrimEnd('.'), 0, null);
            return true;
        }

        var colon = text.LastIndexOf(':');
        if (colon <= 0
            || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
            || port < lowestPort || port > IPEndPoint.MaxPort)
        {
            return false;
        }

        var host = text[..colon];
        if (host == "*")
        {
            address = new ProxyAddress(ProxyAddressKind.Any, host, port, null);
            return true;
        }

        if (host.Equals(ServerName, StringComparison.OrdinalIgnoreCase))
        {
            address = new ProxyAddress(ProxyAddressKind.Dynamic, ServerName, port, null);
            return true;
        }

        if (host.StartsWith('[') && host.EndsWith(']'))
        {
            if (!IPAddress.TryParse(host.AsSpan(1, host.Length - 2), out var v6) || v6.AddressFamily != AddressFamily.InterNetworkV6)
            {
                return false;
            }

            address = new ProxyAddress(ProxyAddressKind.Ip, v6.ToString(), port, v6);
            return true;
        }

        // Four dotted numbers only: IPAddress.TryParse would take "1" or "0x7f.1" too.
        if (host.Count(c => c == '.') == 3 && IPAddress.TryParse(host, out var v4) && v4.AddressFamily == AddressFamily.InterNetwork)
        {
            address = new ProxyAddress(ProxyAddressKind.Ip, v4.ToString(), port, v4);
            return true;
        }

        if (!IsHostName(host))
        {
            return false;
        }

        var kind = host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? ProxyAddressKind.Localhost : ProxyAddressKind.Host;
        address = new ProxyAddress(kind, host.ToLowerInvariant(), port, null);
        return true;
    }

    /// <summary>Service and protocol, each with an underscore before it, and a domain.</summary>
    private static bool IsServiceName(string name)
        => IsHostName(name) && name.Split('.') is [['_', _, ..], ['_', _, ..], { Length: > 0 }, ..];

    /// <summary>Labels of letters, digits, <c>-</c> and <c>_</c>; no IPv4 address.</summary>
    public static bool IsHostName(string host)
    {
        var name = host.EndsWith('.') ? host[..^1] : host;
        if (name.Length is 0 or > 253)
        {
            return false;
        }

        var labels = name.Split('.');
        return labels.All(label => label.Length is > 0 and <= 63 && label.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            // A last label of digits only is a mistyped IPv4 address (WHATWG URL, "ends in a number").
            && !labels[^1].All(char.IsAsciiDigit);
    }
}
