using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <summary>The last things that happened to the configuration: starts, reloads, what operators have changed. In memory only; thread-safe.</summary>
internal sealed class ConfigHistory(TimeProvider time)
{
    private const int Capacity = 64;

    private readonly Lock _gate = new();
    private readonly Queue<ConfigEvent> _events = [];
    private long _count;

    /// <summary>All so far, those that are forgotten too.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <param name="kind">What has led to it.</param>
    /// <param name="generation">Its number.</param>
    /// <param name="before">Null = there was none.</param>
    /// <param name="after">What is in force now.</param>
    public void Applied(ConfigEventKind kind, long generation, StreamProxyConfig? before, StreamProxyConfig after)
        => Add(id => new ConfigEvent
        {
            Id = id,
            Time = time.GetUtcNow(),
            Kind = kind,
            Generation = generation,
            Changes = before is null ? null : new ConfigChanges(before, after),
        });

    public void Rejected(long generation, IReadOnlyList<ConfigError> errors)
        => Add(id => new ConfigEvent { Id = id, Time = time.GetUtcNow(), Kind = ConfigEventKind.Rejected, Generation = generation, Errors = [.. errors.Take(20)] });

    /// <summary>An operator has changed something.</summary>
    public void Changed(string who, string what, string from, string to)
        => Add(id => new ConfigEvent { Id = id, Time = time.GetUtcNow(), Kind = ConfigEventKind.Change, Who = who, What = what, From = from, To = to });

    /// <summary>The youngest first.</summary>
    public IReadOnlyList<ConfigEvent> Read()
    {
        lock (_gate)
        {
            return [.. _events.Reverse()];
        }
    }

    private void Add(Func<long, ConfigEvent> create)
    {
        lock (_gate)
        {
            if (_events.Count == Capacity)
            {
                _events.Dequeue();
            }

            _events.Enqueue(create(++_count));
        }
    }
}
