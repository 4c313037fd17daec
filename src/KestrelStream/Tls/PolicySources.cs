using KestrelStream.Tls.Ocsp;
using KestrelStream.Tls.Tickets;

namespace KestrelStream.Tls;

/// <summary>What the policies of a config that is being applied are made from, beside its certificates. Immutable.</summary>
/// <param name="Trusts">Without errors.</param>
/// <param name="TicketKeys">Without errors.</param>
/// <param name="Stapler">Keeps OCSP answers.</param>
/// <param name="BasePath">What relative paths are relative to.</param>
internal sealed record PolicySources(ClientTrusts Trusts, TicketKeyChange TicketKeys, OcspStapler Stapler, string BasePath);
