using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.Routing;
using KestrelStream.Sessions;

namespace KestrelStream.Admin.Explaining;

/// <summary>Answer of <c>/api/explain</c>: where a session like the one asked for would go now.</summary>
/// <param name="Route">Id; null = no route takes it.</param>
/// <param name="Cluster">Id; null = the route has none.</param>
/// <param name="Destination">Id of the one that would be dialled first; null = none can be.</param>
/// <param name="Certificate">Id of the one that the client would see; null = TLS does not end here.</param>
/// <param name="Considered">Every route of the listener, in the order they are tried.</param>
/// <param name="Members">Every member of the cluster, in the order of its tiers; empty = there is no cluster.</param>
/// <param name="Action">What the route does; null = there is none.</param>
/// <param name="EndReason">Why the session would end at once; null = it goes on to be dialled.</param>
/// <param name="Client">What was understood of the client.</param>
/// <param name="DeniedBy">Whose access rules refuse the client that was asked for: <c>listener</c> or <c>route</c>; null = it may come, or none was asked for.</param>
internal sealed record ApiExplanation(
    string? Route,
    string? Cluster,
    string? Destination,
    string? Certificate,
    IReadOnlyList<RouteConsidered> Considered,
    IReadOnlyList<MemberConsidered> Members,
    RouteAction? Action,
    SessionEndReason? EndReason,
    ApiExplainedClient Client,

    string? DeniedBy);
