using KestrelStream.Diagnostics;
using KestrelStream.Model;
using KestrelStream.Sessions;

namespace KestrelStream.Admin.Live;

/// <summary>Numbers of a route, over all its listeners, at one moment. Totals are since start, running sessions included. Made by <see cref="TrafficReader"/>.</summary>
internal sealed class RouteTraffic(RouteModel route) : TrafficBytes
{
    public RouteModel Route { get; } = route;

    public int Active { get; private set; }

    public long Total { get; private set; }

    /// <summary>What ended sessions of one listener have left behind.</summary>
    public void AddEnded(RouteCells cells)
    {
        Total += cells.Ended();
        AddBytes(cells.EndedBytesIn, cells.EndedBytesOut);
    }

    public override void AddRunning(StreamSession session)
    {
        Active++;
        Total++;
        base.AddRunning(session);
    }
}
