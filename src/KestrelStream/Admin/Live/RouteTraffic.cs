using KestrelStream.Model;

namespace KestrelStream.Admin.Live;

/// <summary>Numbers of a route, over all its listeners, at one moment. Totals are since start, running sessions included.</summary>
internal readonly record struct RouteTraffic(RouteModel Route, int Active, long Total, long BytesIn, long BytesOut);
