using KestrelStream.Configuration;
using KestrelStream.Tls.Ocsp;
using KestrelStream.Tls.Tickets;

namespace KestrelStream.Tls;

/// <summary>What a route's policy is made from, beside its certificates. Immutable.</summary>
/// <param name="Route">Its id.</param>
/// <param name="Config">Valid.</param>
/// <param name="Trust">What the files of <see cref="RouteTlsConfig.ClientCertificates"/> hold; null = clients are not asked for certificates.</param>
/// <param name="TicketKeys">Secrets of session tickets; null = none are issued.</param>
/// <param name="Ocsp">Where stapled answers come from; null = nothing is stapled.</param>
internal sealed record TlsPolicyBasis(string Route, RouteTlsConfig Config, ClientTrust? Trust, TicketKeyRing? TicketKeys, OcspSource? Ocsp)
{
    /// <summary>Whether clients are offered the same, under the same conditions.</summary>
    public bool IsSameAs(TlsPolicyBasis other)
        => Route == other.Route
            && TicketKeys == other.TicketKeys
            && Ocsp == other.Ocsp
            && (Trust?.IsSameAs(other.Trust) ?? other.Trust is null)
            && WithoutLists(Config) == WithoutLists(other.Config)
            && Config.Protocols.Order().SequenceEqual(other.Config.Protocols.Order())
            && Config.Alpn.SequenceEqual(other.Config.Alpn)
            && Config.OcspFiles.SequenceEqual(other.Config.OcspFiles);

    private static RouteTlsConfig WithoutLists(RouteTlsConfig config) => config with { Certificates = [], Protocols = [], Alpn = [], OcspFiles = [] };
}
