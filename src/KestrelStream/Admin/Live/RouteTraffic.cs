using KestrelStream.Diagnostics;
using KestrelStream.Model;
using KestrelStream.Sessions;

namespace KestrelStream.Admin.Live;

/// <summary>Numbers of a route, over all its listeners, at one moment. Totals are since start, running sessions included. Made by <see cref="TrafficReader"/>.</summary>
internal sealed class RouteTraffic(RouteModel route)
{
    public RouteModel Route { get; } = route;

    public int Active { get; private set; }

    public long Total { get; private set; }

    public long BytesIn { get; private set; }

    public long BytesOut { get; private set; }

    /// <summary>What ended sessions of one listener have left behind.</summary>
    public void AddEnded(RouteCells cells)
    {
        Total += cells.Ended();
        BytesIn += cells.EndedBytesIn;
        BytesOut += cells.EndedBytesOut;
    }

    public void AddRunning(StreamSession session)
    {
        Active++;
        Total++;
        BytesIn += Volatile.Read(ref session.BytesIn);
        BytesOut += Volatile.Read(ref session.BytesOut);
    }

    /// <summary>What was missed must not show as a step back.</summary>
    public void KeepAbove(RouteTraffic before)
    {
        BytesIn = Math.Max(BytesIn, before.BytesIn);
        BytesOut = Math.Max(BytesOut, before.BytesOut);
    }
}
