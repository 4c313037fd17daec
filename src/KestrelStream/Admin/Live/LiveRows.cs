using KestrelStream.Configuration;
using KestrelStream.Health;
using KestrelStream.Health.Checks;

namespace KestrelStream.Admin.Live;

/// <summary>The numbers of one moment as the dashboard gets them: one row a thing, numbered as in the <see cref="LiveModel"/>. Immutable; rows compare by value.</summary>
internal sealed record LiveRows(LiveRows.Listener[] Listeners, LiveRows.Route[] Routes, int[] Queues, LiveRows.Member[] Members, LiveRows.Health[] States)
{
    /// <param name="reading">Of this moment.</param>
    /// <param name="routes">How many of its routes are shown.</param>
    public static LiveRows Of(TrafficReading reading, int routes) => new(
        [.. reading.Listeners.Select(line => new Listener(line.Active, line.Most, line.Total, line.BytesIn, line.BytesOut))],
        [.. reading.Routes.Take(routes).Select(line => new Route(line.Active, line.Total, line.BytesIn, line.BytesOut))],
        [.. reading.Clusters.Select(cluster => cluster.QueueLength)],
        [.. reading.Members.Select(NumbersOf)],
        [.. reading.Members.Select(HealthOf)]);

    private static Member NumbersOf(MemberTraffic line)
    {
        var destination = line.Destination;
        return new Member(
            destination.ActiveSessions, destination.MostSessions, destination.TotalSessions, line.BytesIn, line.BytesOut, destination.DialFailures, destination.FailedSessions);
    }

    private static Health HealthOf(MemberTraffic line)
    {
        var destination = line.Destination;
        return new Health(
            StateEndpoints.StateOf(line), destination.Health, destination.Weight, destination.Control.Health, destination.Ejections, destination.LastCheck);
    }

    /// <summary>Of a listener.</summary>
    public readonly record struct Listener(int Active, int Most, long Total, long In, long Out);

    /// <summary>Of a route.</summary>
    public readonly record struct Route(int Active, long Total, long In, long Out);

    /// <summary>Numbers of a member.</summary>
    public readonly record struct Member(int Active, int Most, long Total, long In, long Out, long DialFailures, long Failed);

    /// <summary>State of a member, which changes more seldom.</summary>
    public readonly record struct Health(string State, DestinationHealth Known, int Weight, OperatorHealth Override, long Ejections, CheckReport? Check);
}
