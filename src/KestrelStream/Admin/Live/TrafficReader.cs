using KestrelStream.Diagnostics;
using KestrelStream.Model;
using KestrelStream.Sessions;

namespace KestrelStream.Admin.Live;

/// <summary>
/// Adds up what listeners, routes and destinations have carried: what their ended sessions left behind, and what the running ones have so far. The only
/// one, so that API, dashboard and history show the same. Thread-safe.
/// </summary>
/// <remarks>
/// As with <see cref="ByteTotals"/>: a session that ends while it is read is missed once, never counted twice, and no total is lower than the
/// one read before. Plain loops over classes: it runs every few seconds for ever, and each generic method over a type of ours would be compiled three
/// times in the minutes after a start, beside the sessions.
/// </remarks>
internal sealed class TrafficReader(IProxyState state, SessionTable sessions, StreamProxyMetrics metrics)
{
    private readonly Lock _gate = new();
    private Dictionary<DestinationState, MemberTraffic> _members = [];
    private Dictionary<string, RouteTraffic> _routes = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="withRoutes">There may be thousands, and not everybody looks at them.</param>
    public TrafficReading Read(bool withRoutes = true)
    {
        lock (_gate)
        {
            // What has ended is read first: see above.
            var snapshot = state.Current;
            var cells = metrics.ReadListeners();
            var members = ReadMembers(snapshot, out var byMember);
            var routes = ReadRoutes(withRoutes ? snapshot : null, cells, out var byRoute);
            foreach (var session in sessions.Snapshot())
            {
                // Those that have ended have left their bytes behind, or will have by the next reading.
                if (session.Phase == SessionPhase.Closed || session.Route is not { } route)
                {
                    continue;
                }

                if (session.Destination is { } destination && byMember.TryGetValue(destination, out var member))
                {
                    member.AddRunning(session);
                }

                if (byRoute.TryGetValue(route.Id, out var line))
                {
                    line.AddRunning(session);
                }
            }

            foreach (var member in members)
            {
                if (_members.TryGetValue(member.Destination, out var before))
                {
                    member.KeepAbove(before);
                }
            }

            foreach (var route in routes)
            {
                if (_routes.TryGetValue(route.Route.Id, out var before))
                {
                    route.KeepAbove(before);
                }
            }

            _members = byMember;
            _routes = withRoutes ? byRoute : _routes;
            return new TrafficReading(snapshot, ReadListeners(), routes, snapshot?.ClustersInOrder ?? [], members);
        }
    }

    private static List<MemberTraffic> ReadMembers(ProxySnapshot? snapshot, out Dictionary<DestinationState, MemberTraffic> byMember)
    {
        var members = new List<MemberTraffic>();
        byMember = [];
        foreach (var cluster in snapshot?.ClustersInOrder ?? [])
        {
            var model = cluster.Model;
            foreach (var destination in model.Destinations)
            {
                Add(new MemberTraffic(cluster, destination, isLeaving: false), members, byMember);
            }

            foreach (var source in model.Sources)
            {
                foreach (var destination in source.Leaving)
                {
                    Add(new MemberTraffic(cluster, destination, isLeaving: true), members, byMember);
                }
            }
        }

        return members;
    }

    private static void Add(MemberTraffic member, List<MemberTraffic> members, Dictionary<DestinationState, MemberTraffic> byMember)
    {
        // One that is just leaving may be met in both its places.
        if (byMember.TryAdd(member.Destination, member))
        {
            members.Add(member);
        }
    }

    private static List<RouteTraffic> ReadRoutes(ProxySnapshot? snapshot, ListenerCells[] listeners, out Dictionary<string, RouteTraffic> byRoute)
    {
        var routes = new List<RouteTraffic>();
        byRoute = new Dictionary<string, RouteTraffic>(StringComparer.OrdinalIgnoreCase);
        if (snapshot is null)
        {
            return routes;
        }

        foreach (var model in snapshot.RoutesInOrder)
        {
            var route = new RouteTraffic(model);
            byRoute.Add(model.Id, route);
            routes.Add(route);
        }

        foreach (var listener in listeners)
        {
            foreach (var cells in listener.Routes)
            {
                if (byRoute.TryGetValue(cells.Route, out var route))
                {
                    route.AddEnded(cells);
                }
            }
        }

        return routes;
    }

    private List<ListenerTraffic> ReadListeners()
    {
        var listeners = new List<ListenerTraffic>();
        foreach (var listener in state.Listeners)
        {
            var cells = metrics.Of(listener.Model);
            var active = listener.ActiveSessions;
            listeners.Add(new ListenerTraffic(listener, active, listener.MostSessions, cells.Ended + active, cells.BytesIn, cells.BytesOut));
        }

        listeners.Sort(static (one, other) => StringComparer.OrdinalIgnoreCase.Compare(one.Listener.Id, other.Listener.Id));
        return listeners;
    }
}
