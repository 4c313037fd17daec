namespace KestrelStream.Diagnostics;

/// <summary>What the ended sessions of a route come to, over all listeners and generations.</summary>
internal readonly record struct RouteTotal(long Sessions, long BytesIn, long BytesOut);
