using KestrelStream.Sessions;
using Microsoft.AspNetCore.Http;

namespace KestrelStream.Admin;

/// <summary>Sessions that a query asks for: <c>route</c>, <c>cluster</c>, <c>destination</c>, all of those that are given. Ids ignore case. Immutable.</summary>
internal sealed record SessionFilter(string? Route, string? Cluster, string? Destination)
{
    private static readonly string[] Keys = ["route", "cluster", "destination"];

    public bool IsEmpty => Route is null && Cluster is null && Destination is null;

    /// <summary>What cannot be taken literally is refused: it might mean fewer sessions than it says.</summary>
    /// <param name="query">Of the request.</param>
    /// <param name="error">Null = none.</param>
    public static SessionFilter Read(IQueryCollection query, out string? error)
    {
        error = null;
        foreach (var (key, values) in query)
        {
            if (!Keys.Contains(key, StringComparer.OrdinalIgnoreCase))
            {
                error = "There is an unknown key; valid: route, cluster, destination.";
            }
            else if (values is not [{ Length: > 0 }])
            {
                error = $"{key.ToLowerInvariant()} is empty or there twice; valid: an id, once.";
            }
        }

        return error is null ? new SessionFilter(query["route"], query["cluster"], query["destination"]) : new SessionFilter(null, null, null);
    }

    public bool Takes(StreamSession session)
        => Is(Route, session.Route?.Id) && Is(Cluster, session.Route?.Cluster?.Id) && (Is(Destination, session.Destination?.Id) || Is(Destination, session.Destination?.ConfiguredId));

    public override string ToString()
        => string.Join(' ', new[] { ("route", Route), ("cluster", Cluster), ("destination", Destination) }.Where(part => part.Item2 is not null).Select(part => $"{part.Item1}={Configuration.ErrorText.Quote(part.Item2!)}"));

    private static bool Is(string? wanted, string? id) => wanted is null || wanted.Equals(id, StringComparison.OrdinalIgnoreCase);
}
