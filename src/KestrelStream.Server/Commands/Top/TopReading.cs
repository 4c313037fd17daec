namespace KestrelStream.Server.Commands.Top;

/// <summary>What the API has told, at one moment.</summary>
internal sealed record TopReading(
    DateTimeOffset Time, IReadOnlyList<TopReading.Counters> Listeners, IReadOnlyList<TopReading.Member> Members, IReadOnlyList<TopReading.Session> Sessions, int SessionsTotal)
{
    /// <summary>Numbers of a listener or a member. Totals are since start.</summary>
    internal readonly record struct Counters(string Id, long Active, long Total, long In, long Out);

    /// <summary>A member of a cluster.</summary>
    internal readonly record struct Member(string Cluster, Counters Numbers, string State, string Health, string Check, long Errors)
    {
        public string Key => $"{Cluster}/{Numbers.Id}";
    }

    /// <summary>One of those that move most.</summary>
    internal readonly record struct Session(string Id, string Client, string Name, string Destination, double In, double Out);
}
