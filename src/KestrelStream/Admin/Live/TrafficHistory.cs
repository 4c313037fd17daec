using System.Runtime.InteropServices;
using System.Text.Json;
using KestrelStream.Diagnostics;
using KestrelStream.Health;

namespace KestrelStream.Admin.Live;

/// <summary>
/// The last quarter of an hour of the whole proxy, its listeners, clusters and members, so that who looks sees what led here. It notes a step every
/// five seconds from the moment the app has started, whether anybody looks or not: with 1,000 members that is a millisecond and, in the end, 3 MB. Thread-safe.
/// </summary>
internal sealed class TrafficHistory(TrafficReader reader, RefusedSessions refused, TimeProvider time) : IDisposable
{
    /// <summary>A quarter of an hour.</summary>
    public const int Steps = 180;

    public static readonly TimeSpan Step = TimeSpan.FromSeconds(5);

    /// <summary>Names of the columns of a series; null = left out.</summary>
    private static readonly string?[] s_all = ["sessions", "new_per_second", "in_per_second", "out_per_second"];
    private static readonly string?[] s_newSessions = [null, "new_per_second", null, null];
    private static readonly string?[] s_health = ["members_up", "refused_per_second", null, null];

    private readonly Lock _gate = new();
    private Dictionary<Key, HistorySeries> _series = [];
    private ITimer? _timer;
    private long _lastStep;
    private DateTimeOffset _until;

    private enum Kind : byte
    {
        Total,

        /// <summary>Members that are up, and refused connections.</summary>
        Health,
        Listener,
        Cluster,
        Member,
    }

    /// <summary>Bytes of all its values.</summary>
    public long Size
    {
        get
        {
            lock (_gate)
            {
                return _series.Values.Sum(series => (long)series.Size);
            }
        }
    }

    /// <summary>Once.</summary>
    public void Start()
    {
        lock (_gate)
        {
            _lastStep = time.GetTimestamp();
            _timer ??= time.CreateTimer(static history => ((TrafficHistory)history!).Take(), this, Step, Step);
        }
    }

    /// <summary>Notes a step.</summary>
    public void Take()
    {
        var reading = reader.Read();
        lock (_gate)
        {
            var seconds = time.GetElapsedTime(_lastStep).TotalSeconds;
            _lastStep = time.GetTimestamp();
            _until = time.GetUtcNow();

            // What a reload has taken away is forgotten.
            var next = new Dictionary<Key, HistorySeries>(_series.Count);
            Add(next, new Key(Kind.Total, "", ""), reading.Listeners.Select(Of).Aggregate(default(Numbers), (sum, one) => sum + one), seconds);
            var up = reading.Members.Count(member => member.Destination.Control.IsCounted && member.Destination.Health != DestinationHealth.Unhealthy);
            Add(next, new Key(Kind.Health, "", ""), new Numbers(up, refused.Count, 0, 0), seconds);
            foreach (var listener in reading.Listeners)
            {
                Add(next, new Key(Kind.Listener, listener.Listener.Id, ""), Of(listener), seconds);
            }

            // Who leaves may have the id of one that comes.
            foreach (var members in reading.Members.Where(member => !member.IsLeaving).GroupBy(member => member.Cluster.Id))
            {
                var sum = default(Numbers);
                foreach (var member in members)
                {
                    var numbers = new Numbers(member.Destination.ActiveSessions, member.Destination.TotalSessions, member.BytesIn, member.BytesOut);
                    Add(next, new Key(Kind.Member, members.Key, member.Destination.Id), numbers, seconds);
                    sum += numbers;
                }

                Add(next, new Key(Kind.Cluster, members.Key, ""), sum, seconds);
            }

            _series = next;
        }
    }

    /// <param name="json">Gets an object.</param>
    /// <param name="cluster">Whose members are told of, too, with their new sessions alone; null = none.</param>
    /// <param name="member">The only one of them, with all there is; null = all of them.</param>
    public void WriteTo(Utf8JsonWriter json, string? cluster, string? member)
    {
        lock (_gate)
        {
            json.WriteStartObject();
            json.WriteNumber("step_seconds", Step.TotalSeconds);
            json.WriteString("until", _until);
            json.WriteStartObject("total");
            _series.GetValueOrDefault(new Key(Kind.Total, "", ""))?.WriteTo(json, s_all);
            _series.GetValueOrDefault(new Key(Kind.Health, "", ""))?.WriteTo(json, s_health);
            json.WriteEndObject();
            WriteList(json, "listeners", Kind.Listener, key => key.Id);
            WriteList(json, "clusters", Kind.Cluster, key => key.Id);
            if (cluster is not null)
            {
                var isOne = member is not null;
                WriteList(
                    json,
                    "members",
                    Kind.Member,
                    key => key.Id.Equals(cluster, StringComparison.OrdinalIgnoreCase) && (!isOne || key.Member == member) ? key.Member : null,
                    isShort: !isOne);
            }

            json.WriteEndObject();
        }
    }

    public void Dispose() => _timer?.Dispose();

    private static Numbers Of(ListenerTraffic listener) => new(listener.Active, listener.Total, listener.BytesIn, listener.BytesOut);

    private void Add(Dictionary<Key, HistorySeries> next, Key key, Numbers numbers, double seconds)
    {
        ref var series = ref CollectionsMarshal.GetValueRefOrAddDefault(next, key, out _);
        series ??= _series.GetValueOrDefault(key) ?? new HistorySeries();
        series.Add(numbers.Active, numbers.Total, numbers.In, numbers.Out, seconds);
    }

    private void WriteList(Utf8JsonWriter json, string name, Kind kind, Func<Key, string?> idOf, bool isShort = false)
    {
        json.WriteStartArray(name);
        foreach (var (key, series) in _series)
        {
            if (key.Kind == kind && idOf(key) is { } id)
            {
                json.WriteStartObject();
                json.WriteString("id", id);
                series.WriteTo(json, isShort ? s_newSessions : s_all);
                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
    }

    private readonly record struct Key(Kind Kind, string Id, string Member);

    private readonly record struct Numbers(long Active, long Total, long In, long Out)
    {
        public static Numbers operator +(Numbers a, Numbers b) => new(a.Active + b.Active, a.Total + b.Total, a.In + b.In, a.Out + b.Out);
    }
}
