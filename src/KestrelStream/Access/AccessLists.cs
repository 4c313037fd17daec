using KestrelStream.Configuration;

namespace KestrelStream.Access;

/// <summary>The rules of a listener or a route as they are written.</summary>
internal readonly record struct AccessLists(IReadOnlyList<string> Allow, IReadOnlyList<string> Deny, string? AllowFile, string? DenyFile)
{
    public bool IsEmpty => Allow.Count == 0 && Deny.Count == 0 && AllowFile is null && DenyFile is null;

    /// <summary>Who is named nowhere stays out: with an empty file of those who may come, everybody does.</summary>
    public bool DeniesOthers => Allow.Count > 0 || AllowFile is not null;

    public static AccessLists Of(ListenerConfig listener) => new(listener.Allow, listener.Deny, listener.AllowFile, listener.DenyFile);

    public static AccessLists Of(RouteConfig route) => new(route.Allow, route.Deny, route.AllowFile, route.DenyFile);
}
