using System.Text;
using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.Preread;
using KestrelStream.Routing;

namespace KestrelStream.Tests.Routing;

/// <summary>Short ways to write routes, tables and hellos.</summary>
internal static class RouteTableBuilder
{
    public static RouteModel Route(
        string id,
        string[]? sni = null,
        string[]? alpn = null,
        ClientProtocol[]? protocols = null,
        string[]? firstBytes = null,
        string[]? networks = null,
        int order = 0,
        bool terminates = false,
        string[]? listeners = null) => new()
        {
            Id = id,
            Config = new RouteConfig
            {
                Listeners = listeners,
                Match = new RouteMatch { Sni = sni ?? [], Alpn = alpn ?? [], Protocols = protocols ?? [], FirstBytes = firstBytes ?? [], ClientNetworks = networks ?? [] },
                Order = order,
                Tls = terminates ? new RouteTlsConfig { Mode = TlsMode.Terminate } : null,
            },
        };

    /// <summary>The route of bytes that no detector has a yes or a maybe for.</summary>
    public static RouteModel? ForNotTls(this RouteTable table) => table.ForNotTls("?"u8, out _);

    public static byte[] AlpnList(params string[] protocols)
        => [.. protocols.SelectMany(protocol => new[] { (byte)Encoding.UTF8.GetByteCount(protocol) }.Concat(Encoding.UTF8.GetBytes(protocol)))];

    public static string? ForHello(this RouteTable table, string? name, params string[] alpn)
        => table.ForHello(new ClientHello { ServerName = name, AlpnList = AlpnList(alpn) })?.Id;

    public static List<RouteConsidered> Explain(this RouteTable table, string? name, params string[] alpn)
    {
        var considered = new List<RouteConsidered>();
        table.Explain(new ClientHello { ServerName = name, AlpnList = AlpnList(alpn) }, considered);
        return considered;
    }
}
