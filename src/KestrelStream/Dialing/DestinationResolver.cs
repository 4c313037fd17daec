using KestrelStream.Model;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Dialing;

/// <summary>
/// Keeps the endpoints of destinations with host names fresh. One per proxy, disposed with it; thread-safe. Destinations with an IP
/// address or a unix socket need none of this. A name that does not resolve stops nothing: the last good answer stays, and it is
/// tried on.
/// </summary>
internal sealed class DestinationResolver(IDestinationNameResolver resolver, TimeProvider time, ILogger<DestinationResolver> logger) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, NameWatch> _watches = new(StringComparer.OrdinalIgnoreCase);
    private bool _isDisposed;

    /// <summary>
    /// Watches exactly the names that these clusters use. Called after each commit of clusters. New names are being looked up when
    /// it returns; it does not wait for them.
    /// </summary>
    /// <param name="clusters">All of them.</param>
    /// <param name="more">Names that others than sessions need.</param>
    public void Apply(IEnumerable<ClusterState> clusters, IReadOnlyList<(NameSubscriber Name, TimeSpan Refresh)>? more = null)
    {
        // One watch a name, however many destinations use it; the most impatient cluster sets the pace.
        var names = new Dictionary<string, (List<NameSubscriber> Subscribers, TimeSpan Refresh)>(StringComparer.OrdinalIgnoreCase);
        foreach (var cluster in clusters)
        {
            foreach (var destination in cluster.Model.Destinations.Where(destination => destination.NeedsResolution))
            {
                Add(new NameSubscriber(cluster.Id, destination), cluster.Model.Config.DnsRefresh);
            }
        }

        foreach (var (name, refresh) in more ?? [])
        {
            Add(name, refresh);
        }

        NameWatch[] unused;
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            var gone = _watches.Where(pair => !names.ContainsKey(pair.Key)).ToArray();
            unused = [.. gone.Select(pair => pair.Value)];
            foreach (var (host, _) in gone)
            {
                _watches.Remove(host);
            }

            foreach (var (host, (subscribers, refresh)) in names)
            {
                if (!_watches.TryGetValue(host, out var watch))
                {
                    watch = new NameWatch(host, resolver, time, logger);
                    _watches.Add(host, watch);
                }

                watch.Update([.. subscribers], refresh);
            }
        }

        DisposeAll(unused);

        void Add(NameSubscriber subscriber, TimeSpan refresh)
        {
            var host = subscriber.Destination.Address.Host;
            var name = names.TryGetValue(host, out var known) ? known : ([], refresh);
            name.Subscribers.Add(subscriber);
            names[host] = name with { Refresh = refresh < name.Refresh ? refresh : name.Refresh };
        }
    }

    public void Dispose()
    {
        NameWatch[] unused;
        lock (_gate)
        {
            _isDisposed = true;
            unused = [.. _watches.Values];
            _watches.Clear();
        }

        DisposeAll(unused);
    }

    /// <summary>Not under the lock: a lookup that is cancelled runs code of the resolver.</summary>
    private static void DisposeAll(NameWatch[] watches)
    {
        foreach (var watch in watches)
        {
            watch.Dispose();
        }
    }
}
