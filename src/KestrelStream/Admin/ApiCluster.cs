namespace KestrelStream.Admin;

/// <summary>One of <c>/api/clusters</c>.</summary>
/// <param name="Id">Its key in the configuration.</param>
/// <param name="Policy">How a destination is chosen.</param>
/// <param name="QueueLength">Sessions that wait for a destination with room.</param>
/// <param name="QueueMax">Most of them; 0 = nobody waits.</param>
/// <param name="Destinations">Its members, those that names stand for among them.</param>
/// <param name="Discovery">Its destinations that are names.</param>
internal sealed record ApiCluster(
    string Id, string Policy, int QueueLength, int QueueMax, IReadOnlyList<ApiDestination> Destinations, IReadOnlyList<ApiName> Discovery);
