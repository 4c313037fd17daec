using KestrelStream.Load.Client;
using KestrelStream.Load.Proxies;
using static KestrelStream.Load.Proxies.ProxyPorts;

namespace KestrelStream.Load.Scenarios;

/// <summary>Every scenario by its word.</summary>
internal static class ScenarioCatalog
{
    public const string Fair = "fair";
    public const string Idle = "idle";
    public const string Many = "many";

    /// <summary>What runs unless chosen otherwise.</summary>
    public static readonly IReadOnlyList<string> Default = ["tcp", "sni", "msg", "bulk", "handshake", "resumed", "tlsbulk", Fair, Idle, Many];

    private const double Microsecond = 1_000;

    /// <summary>A unit of the bulk loads is a byte, and 1 ns a byte is 1 s a GB.</summary>
    private const double SecondPerGigabyte = 1;

    private const string PerGigabyte = "s";

    private static readonly Lazy<byte[][]> s_hellos = new(ClientHellos.Create);

    public static readonly IReadOnlyList<CpuScenario> Cpu =
    [
        new("tcp", "TCP connection", "µs", Microsecond, 5_000,
            ports => new ShortConnectionLoad(Endpoint(ports.Tcp), [Backend.Payload.Request])),
        new("sni", "SNI-passthrough connection, 1,000 routes", "µs", Microsecond, 4_000,
            ports => new ShortConnectionLoad(Endpoint(ports.Sni), s_hellos.Value)),
        new("msg", "small message on an open session", "µs", Microsecond, 25_000,
            ports => new MessageLoad(Endpoint(ports.Echo))),
        new("bulk", "GB passthrough, download", PerGigabyte, SecondPerGigabyte, 500_000_000,
            ports => new BulkLoad(Endpoint(ports.Bulk), isUpload: false))
        { HasLargeBuffers = true },
        new("upload", "GB passthrough, upload", PerGigabyte, SecondPerGigabyte, 500_000_000,
            ports => new BulkLoad(Endpoint(ports.Bulk), isUpload: true))
        { HasLargeBuffers = true },
        new("handshake", "full TLS 1.3 handshake, exchange, close", "µs", Microsecond, 800,
            ports => new TlsHandshakeLoad(Endpoint(ports.TlsFull), isResumed: false)),
        new("resumed", "resumed TLS 1.3 handshake, exchange, close", "µs", Microsecond, 800,
            ports => new TlsHandshakeLoad(Endpoint(ports.TlsResumed), isResumed: true)),
        new("tlsbulk", "GB terminated, download", PerGigabyte, SecondPerGigabyte, 250_000_000,
            ports => new TlsBulkLoad(Endpoint(ports.TlsBulk))),
    ];

    public static IReadOnlyList<string> Ids => [.. Cpu.Select(scenario => scenario.Id), Fair, Idle, Many];
}
