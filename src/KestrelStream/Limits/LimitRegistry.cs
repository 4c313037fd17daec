using System.Collections.Concurrent;
using KestrelStream.Configuration;

namespace KestrelStream.Limits;

/// <summary>The counts of all limits by the id of their listener or route, which outlive a reload; and the table of clients. One for the process; thread-safe.</summary>
internal sealed class LimitRegistry(TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<(bool IsRoute, string Id), LimitState> _states = new();
    private int _lastScope;

    public ClientTable Clients { get; } = new(time);

    /// <summary>Null = nothing is limited.</summary>
    public SessionLimits? OfListener(string id, ListenerConfig listener) => Create((false, id.ToUpperInvariant()), listener.Limits);

    /// <summary>Null = nothing is limited.</summary>
    public SessionLimits? OfRoute(string id, RouteConfig route) => Create((true, id.ToUpperInvariant()), route.Limits);

    public void Dispose() => Clients.Dispose();

    private SessionLimits? Create((bool IsRoute, string Id) key, LimitsConfig? limits)
        => limits is null ? null : new SessionLimits(limits, _states.GetOrAdd(key, _ => new LimitState(Interlocked.Increment(ref _lastScope))), Clients, time);
}
