using KestrelStream.Health;

namespace KestrelStream.Admin;

/// <summary>A member of a cluster of <c>/api/clusters</c>.</summary>
/// <param name="Id">Its key in the configuration.</param>
/// <param name="Address">As configured.</param>
/// <param name="EndPoints">What that is now: addresses a name has resolved to. Empty = it has not.</param>
/// <param name="State">What an operator wants of it: <c>ready</c>.</param>
/// <param name="Health">What is known about it.</param>
/// <param name="Weight">Share of sessions; 0 = no new ones.</param>
/// <param name="Backup">Used only when every other one is down or full.</param>
/// <param name="MaxConnections">Most sessions at once; null = unlimited.</param>
/// <param name="ActiveSessions">Dialled or relayed now.</param>
/// <param name="TotalSessions">Whose dial succeeded, since start.</param>
/// <param name="DialFailures">Since start.</param>
/// <param name="WarmConnections">Connections made ahead that wait for a session; null = the cluster asks for none.</param>
/// <param name="LastCheck">The last active check; null = none so far.</param>
internal sealed record ApiDestination(
    string Id,
    string Address,
    IReadOnlyList<string?> EndPoints,
    string State,
    DestinationHealth Health,
    int Weight,
    bool Backup,
    int? MaxConnections,
    int ActiveSessions,
    long TotalSessions,
    long DialFailures,
    int? WarmConnections,
    ApiCheck? LastCheck);
