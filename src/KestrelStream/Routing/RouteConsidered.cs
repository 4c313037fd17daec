namespace KestrelStream.Routing;

/// <summary>One line of an explained choice.</summary>
/// <param name="Route">Id of the route.</param>
/// <param name="Matched">Whether all its conditions hold. The first one that matched takes the session.</param>
/// <param name="Why">The pattern that fits, or the condition that does not hold.</param>
internal sealed record RouteConsidered(string Route, bool Matched, string Why);
