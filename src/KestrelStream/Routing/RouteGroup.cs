namespace KestrelStream.Routing;

/// <summary>Routes that are equal by name, in order of trial. Nearly always one: that one is not behind an array, which would be a cache miss more.</summary>
/// <param name="First">Null = the group is empty.</param>
/// <param name="Others">Those after the first; null = none.</param>
internal readonly record struct RouteGroup(RouteEntry? First, RouteEntry[]? Others)
{
    public RouteGroup(ReadOnlySpan<RouteEntry> routes)
        : this(routes.IsEmpty ? null : routes[0], routes.Length > 1 ? routes[1..].ToArray() : null)
    {
    }

    public RouteGroup With(RouteEntry route)
    {
        if (First is null)
        {
            return new RouteGroup(route, null);
        }

        RouteEntry[] all = [First, .. Others ?? [], route];
        Array.Sort(all, RouteEntry.Compare);
        return new RouteGroup(all);
    }
}
