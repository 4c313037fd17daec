using KestrelStream.Model;

namespace KestrelStream.Admin.Live;

/// <summary>Numbers of a listener at one moment. Totals are since start, running sessions included.</summary>
internal sealed record ListenerTraffic(ListenerState Listener, int Active, int Most, long Total, long BytesIn, long BytesOut);
