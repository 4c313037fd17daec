using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
/// one read before.
/// </remarks>
internal sealed class TrafficReader(IProxyState state, SessionTable sessions, StreamProxyMetrics metrics)
{
    private readonly Lock _gate = new();
    private Dictionary<object, Bytes> _last = [];

    public TrafficReading Read()
    {
        lock (_gate)
        {
            var snapshot = state.Current;
            var listenerBytes = metrics.ReadByteTotals();
            var ended = metrics.ReadRouteTotals();
            var clusters = (snapshot?.Clusters.Values ?? []).OrderBy(cluster => cluster.Id, StringComparer.OrdinalIgnoreCase).ToList();
            
            // One that is just leaving may be met in both its places.
            var members = clusters.SelectMany(Members).DistinctBy(member => member.Destination).ToList();
            var byMember = members.ToDictionary(member => member.Destination, member => new Bytes(member.BytesIn, member.BytesOut));
            var byRoute = new Dictionary<string, Running>(StringComparer.OrdinalIgnoreCase);
            foreach (var session in sessions.Snapshot())
            {
                // Those that have ended have left their bytes behind, or will have by the next reading.
                if (session.Phase != SessionPhase.Closed && session.Route is { } route)
                {
                    Add(session, route, byMember, byRoute);
                }
            }

            var last = _last;
            _last = new Dictionary<object, Bytes>(last.Count);
            return new TrafficReading(
                snapshot,
                [.. state.Listeners.OrderBy(listener => listener.Id, StringComparer.OrdinalIgnoreCase).Select(listener => Of(listener, listenerBytes))],
                [.. (snapshot?.Routes.Values ?? []).OrderBy(route => route.Id, StringComparer.OrdinalIgnoreCase).Select(route => Of(route, ended, byRoute, last))],
                clusters,
                [.. members.Select(member => Of(member, byMember[member.Destination], last))]);
        }
    }

    private static IEnumerable<MemberTraffic> Members(ClusterState cluster)
    {
        var model = cluster.Model;
        foreach (var destination in model.Destinations)
        {
            yield return new MemberTraffic(cluster, destination, IsLeaving: false, destination.EndedBytesIn, destination.EndedBytesOut);
        }

        foreach (var destination in model.Sources.SelectMany(source => source.Leaving))
        {
            yield return new MemberTraffic(cluster, destination, IsLeaving: true, destination.EndedBytesIn, destination.EndedBytesOut);
        }
    }

    private static void Add(StreamSession session, RouteModel route, Dictionary<DestinationState, Bytes> byMember, Dictionary<string, Running> byRoute)
    {
        var (bytesIn, bytesOut) = (Volatile.Read(ref session.BytesIn), Volatile.Read(ref session.BytesOut));
        ref var running = ref CollectionsMarshal.GetValueRefOrAddDefault(byRoute, route.Id, out _);
        running = new Running(running.Active + 1, running.In + bytesIn, running.Out + bytesOut);
        if (session.Destination is { } destination)
        {
            ref var bytes = ref CollectionsMarshal.GetValueRefOrNullRef(byMember, destination);
            if (!Unsafe.IsNullRef(ref bytes))
            {
                bytes = new Bytes(bytes.In + bytesIn, bytes.Out + bytesOut);
            }
        }
    }

    private ListenerTraffic Of(ListenerState listener, IReadOnlyDictionary<ListenerCells, ByteTotals.Total> bytes)
    {
        var cells = metrics.Of(listener.Model);
        var total = bytes.GetValueOrDefault(cells);
        var active = listener.ActiveSessions;
        return new ListenerTraffic(listener, active, listener.MostSessions, cells.Ended + active, total.In, total.Out);
    }

    private RouteTraffic Of(RouteModel route, IReadOnlyDictionary<string, RouteTotal> ended, Dictionary<string, Running> running, Dictionary<object, Bytes> last)
    {
        var (before, now) = (ended.GetValueOrDefault(route.Id), running.GetValueOrDefault(route.Id));
        var bytes = NotLess(last, route.Id, new Bytes(before.BytesIn + now.In, before.BytesOut + now.Out));
        return new RouteTraffic(route, now.Active, before.Sessions + now.Active, bytes.In, bytes.Out);
    }

    private MemberTraffic Of(MemberTraffic member, Bytes bytes, Dictionary<object, Bytes> last)
    {
        bytes = NotLess(last, member.Destination, bytes);
        return member with { BytesIn = bytes.In, BytesOut = bytes.Out };
    }

    private Bytes NotLess(Dictionary<object, Bytes> last, object key, Bytes bytes)
    {
        var before = last.GetValueOrDefault(key);
        return _last[key] = new Bytes(Math.Max(before.In, bytes.In), Math.Max(before.Out, bytes.Out));
    }

    private readonly record struct Bytes(long In, long Out);

    private readonly record struct Running(int Active, long In, long Out);
}
