namespace KestrelStream.Admin;

/// <summary>One of <c>/api/listeners</c>.</summary>
/// <param name="Id">Its key in the configuration.</param>
/// <param name="Address">As configured.</param>
/// <param name="Bound">Where it really listens.</param>
/// <param name="Routes">Ids of the routes that take its sessions.</param>
/// <param name="ActiveSessions">Running now.</param>
/// <param name="MaxConnections">Most at once; null = unlimited.</param>
/// <param name="BytesIn">Payload from clients since start.</param>
/// <param name="BytesOut">Payload to clients since start.</param>
/// <param name="MostSessions">Most at once so far.</param>
/// <param name="TotalSessions">Since start, running ones included.</param>
internal sealed record ApiListener(
    string Id,
    string Address,
    IReadOnlyList<string?> Bound,
    IReadOnlyList<string> Routes,
    long ActiveSessions,
    int? MaxConnections,
    long BytesIn,
    long BytesOut,
    int MostSessions,
    long TotalSessions);
