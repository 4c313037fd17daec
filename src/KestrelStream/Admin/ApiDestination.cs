using KestrelStream.Health;

namespace KestrelStream.Admin;

/// <summary>A member of a cluster of <c>/api/clusters</c>.</summary>
/// <param name="Id">Its key in the configuration; of a member that was found by a name that key, <c>@</c>, and the address.</param>
/// <param name="Address">As configured, or as found.</param>
/// <param name="EndPoints">Where sessions go. More than one for localhost alone.</param>
/// <param name="Source">Key of the destination whose name has led to it; null = it is configured by its address.</param>
/// <param name="State">What an operator wants of it: <c>ready</c>, <c>drain</c>, <c>maintenance</c>; <c>leaving</c> = its name no longer stands for it, its last sessions run.</param>
/// <param name="Draining">Sessions that still run on one that gets no new ones, 0 = it is drained; null = it gets new ones.</param>
/// <param name="Health">What is known about it.</param>
/// <param name="HealthOverride">An operator's word: <c>auto</c> = none, <c>up</c>, <c>down</c>.</param>
/// <param name="Weight">Share of sessions; 0 = no new ones.</param>
/// <param name="Backup">Used only when every other one, or of an SRV name every one of lower priority, is down or full.</param>
/// <param name="MaxConnections">Most sessions at once; null = unlimited.</param>
/// <param name="ActiveSessions">Dialled or relayed now.</param>
/// <param name="TotalSessions">Whose dial succeeded, since start.</param>
/// <param name="DialFailures">Since start.</param>
/// <param name="WarmConnections">Connections made ahead that wait for a session; null = the cluster asks for none.</param>
/// <param name="MostSessions">Most at once so far.</param>
/// <param name="FailedSessions">Those that it has reset, or that ended because it was found dead.</param>
/// <param name="Ejections">Times that the failures of its sessions have taken it out.</param>
/// <param name="BytesIn">Payload from clients since start, of those that run included.</param>
/// <param name="BytesOut">Payload to clients, likewise.</param>
/// <param name="LastCheck">The last active check; null = none so far.</param>
internal sealed record ApiDestination(
    string Id,
    string Address,
    IReadOnlyList<string?> EndPoints,
    string? Source,
    string State,
    int? Draining,
    DestinationHealth Health,
    string HealthOverride,
    int Weight,
    bool Backup,
    int? MaxConnections,
    int ActiveSessions,
    long TotalSessions,
    long DialFailures,
    int? WarmConnections,
    int MostSessions,
    long FailedSessions,
    long Ejections,
    long BytesIn,
    long BytesOut,
    ApiCheck? LastCheck);
