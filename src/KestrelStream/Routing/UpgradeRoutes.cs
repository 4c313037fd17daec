using KestrelStream.Configuration;
using KestrelStream.StartTls;

namespace KestrelStream.Routing;

/// <summary>The routes of one listener that take clients of one protocol once they have asked for TLS. Immutable.</summary>
/// <param name="Protocol">Of all of them.</param>
/// <param name="Routes">Chosen among by the ClientHello.</param>
internal sealed record UpgradeRoutes(StartTlsProtocol Protocol, RouteTable Routes)
{
    public StartTlsDialog Dialog { get; } = StartTlsDialog.Of(Protocol);
}
