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
    public void Apply(IEnumerable<ClusterState> clusters)
    {
        // One watch a name, however many destinations use it; the most impatient cluster sets the pace.
        var names = new Dictionary<string, (List<NameSubscriber> Subscribers, TimeSpan Refresh)>(StringComparer.OrdinalIgnoreCase);
        foreach (var cluster in clusters)
        {
            var model = cluster.Model;
            foreach (var destination in model.Destinations.Where(destination => destination.NeedsResolution))
            {
                var refresh = model.Config.DnsRefresh;
                var name = names.TryGetValue(destination.Address.Host, out var known) ? known : ([], refresh);
                name.Subscribers.Add(new NameSubscriber(cluster.Id, destination));
                names[destination.Address.Host] = name with { Refresh = refresh < name.Refresh ? refresh : name.Refresh };
            }
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
