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
    private readonly HistorySeries _total = new();
    private readonly HistorySeries _health = new();
    private Dictionary<string, HistorySeries> _listeners = new(StringComparer.OrdinalIgnoreCase);
    private Dictionary<string, ClusterHistory> _clusters = new(StringComparer.OrdinalIgnoreCase);
    private ITimer? _timer;
    private long _lastStep;
    private DateTimeOffset _until;

    /// <summary>Bytes of all its values.</summary>
    public long Size
    {
        get
        {
            lock (_gate)
            {
                return _total.Size + _health.Size + _listeners.Values.Sum(series => (long)series.Size) + _clusters.Values.Sum(cluster => cluster.Size);
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
        var reading = reader.Read(withRoutes: false);
        lock (_gate)
        {
            var seconds = time.GetElapsedTime(_lastStep).TotalSeconds;
            _lastStep = time.GetTimestamp();
            _until = time.GetUtcNow();
            TakeListeners(reading, seconds);
            TakeClusters(reading, seconds);
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
            _total.WriteTo(json, s_all);
            _health.WriteTo(json, s_health);
            json.WriteEndObject();
            json.WriteStartArray("listeners");
            foreach (var (id, series) in _listeners)
            {
                Write(json, id, series, s_all);
            }

            json.WriteEndArray();
            json.WriteStartArray("clusters");
            foreach (var (id, history) in _clusters)
            {
                Write(json, id, history.Total, s_all);
            }

            json.WriteEndArray();
            if (cluster is not null)
            {
                json.WriteStartArray("members");
                foreach (var (id, series) in _clusters.GetValueOrDefault(cluster)?.Members ?? [])
                {
                    if (member is null || id == member)
                    {
                        Write(json, id, series, member is null ? s_newSessions : s_all);
                    }
                }

                json.WriteEndArray();
            }

            json.WriteEndObject();
        }
    }

    public void Dispose() => _timer?.Dispose();

    private static void Write(Utf8JsonWriter json, string id, HistorySeries series, string?[] columns)
    {
        json.WriteStartObject();
        json.WriteString("id", id);
        series.WriteTo(json, columns);
        json.WriteEndObject();
    }

    /// <summary>The series of one that was there before; what a reload has taken away is in no next dictionary.</summary>
    private static HistorySeries Keep(Dictionary<string, HistorySeries> before, string id, Dictionary<string, HistorySeries> next)
    {
        var series = before.TryGetValue(id, out var known) ? known : new HistorySeries();
        next[id] = series;
        return series;
    }

    private void TakeListeners(TrafficReading reading, double seconds)
    {
        var next = new Dictionary<string, HistorySeries>(_listeners.Count, StringComparer.OrdinalIgnoreCase);
        var sum = default(Numbers);
        foreach (var listener in reading.Listeners)
        {
            var numbers = new Numbers(listener.Active, listener.Total, listener.BytesIn, listener.BytesOut);
            numbers.AddTo(Keep(_listeners, listener.Listener.Id, next), seconds);
            sum += numbers;
        }

        sum.AddTo(_total, seconds);
        _listeners = next;
    }

    private void TakeClusters(TrafficReading reading, double seconds)
    {
        var next = new Dictionary<string, ClusterHistory>(_clusters.Count, StringComparer.OrdinalIgnoreCase);
        var up = 0;
        for (var i = 0; i < reading.Members.Count;)
        {
            // Members of one stand together.
            var cluster = reading.Members[i].Cluster;
            var before = _clusters.TryGetValue(cluster.Id, out var known) ? known : new ClusterHistory(new HistorySeries(), new(StringComparer.Ordinal));
            var members = new Dictionary<string, HistorySeries>(before.Members.Count, StringComparer.Ordinal);
            var sum = default(Numbers);
            for (; i < reading.Members.Count && reading.Members[i].Cluster == cluster; i++)
            {
                var (member, destination) = (reading.Members[i], reading.Members[i].Destination);
                up += destination.Control.IsCounted && destination.Health != DestinationHealth.Unhealthy ? 1 : 0;

                // Who leaves may have the id of one that comes.
                if (!member.IsLeaving)
                {
                    var numbers = new Numbers(destination.ActiveSessions, destination.TotalSessions, member.BytesIn, member.BytesOut);
                    numbers.AddTo(Keep(before.Members, destination.Id, members), seconds);
                    sum += numbers;
                }
            }

            sum.AddTo(before.Total, seconds);
            next[cluster.Id] = new ClusterHistory(before.Total, members);
        }

        new Numbers(up, refused.Count, 0, 0).AddTo(_health, seconds);
        _clusters = next;
    }

    private sealed record ClusterHistory(HistorySeries Total, Dictionary<string, HistorySeries> Members)
    {
        public long Size => Total.Size + Members.Values.Sum(series => (long)series.Size);
    }

    private readonly record struct Numbers(long Active, long Total, long In, long Out)
    {
        public static Numbers operator +(Numbers a, Numbers b) => new(a.Active + b.Active, a.Total + b.Total, a.In + b.In, a.Out + b.Out);

        public void AddTo(HistorySeries series, double seconds) => series.Add(Active, Total, In, Out, seconds);
    }
}
