using KestrelStream.Configuration;
using KestrelStream.Model;
using Microsoft.Extensions.Logging;

namespace KestrelStream.Discovery;

/// <summary>
/// Keeps the members fresh that clusters find by name. One per proxy, disposed with it; thread-safe. Destinations with an IP
/// address or a unix socket need none of this. A name that does not resolve stops nothing: the last good answer stays, and it is
/// tried on.
/// </summary>
internal sealed class DestinationResolver(
    IDestinationNameResolver resolver, DnsClient dns, TimeProvider time, ILogger<DestinationResolver> logger) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ProxyAddress, NameWatch> _watches = [];
    private bool _isDisposed;

    /// <summary>
    /// Watches exactly the names that these clusters use. Called after each commit of clusters. New names are being looked up when
    /// it returns; it does not wait for them.
    /// </summary>
    /// <param name="clusters">All of them.</param>
    /// <param name="servers">Who is asked from now on; null = the operating system.</param>
    /// <param name="more">Names that others than sessions need.</param>
    public void Apply(
        IEnumerable<ClusterState> clusters,
        ResolverConfig? servers = null,
        IReadOnlyList<(INameSubscriber Name, ProxyAddress Address, TimeSpan Refresh)>? more = null)
    {
        // One watch a name, however many destinations use it; the most impatient cluster sets the pace.
        var names = new Dictionary<ProxyAddress, (List<INameSubscriber> Subscribers, TimeSpan Refresh)>();
        foreach (var cluster in clusters)
        {
            var model = cluster.Model;
            foreach (var source in model.Sources)
            {
                Add(source.Address, new MemberSubscriber(cluster, source), model.Config.DnsRefresh);
            }
        }

        foreach (var (name, address, refresh) in more ?? [])
        {
            Add(address, name, refresh);
        }

        var isOutdated = dns.Apply(servers);
        NameWatch[] unused;
        (NameWatch Watch, List<INameSubscriber> Subscribers, TimeSpan Refresh)[] used;
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            var gone = _watches.Where(pair => !names.ContainsKey(pair.Key)).ToArray();
            unused = [.. gone.Select(pair => pair.Value)];
            foreach (var (name, _) in gone)
            {
                _watches.Remove(name);
            }

            foreach (var name in names.Keys.Where(name => !_watches.ContainsKey(name)))
            {
                _watches.Add(name, new NameWatch(name, new NameLookup(name, resolver, dns), time, logger));
            }

            used = [.. names.Select(name => (_watches[name.Key], name.Value.Subscribers, name.Value.Refresh))];
        }

        DisposeAll(unused);

        // Not under the lock: subscribers change clusters. One reload at a time, so nobody comes in between.
        foreach (var (watch, subscribers, refresh) in used)
        {
            watch.Update([.. subscribers], refresh, isOutdated);
        }

        void Add(ProxyAddress address, INameSubscriber subscriber, TimeSpan refresh)
        {
            // The port is the subscriber's.
            var key = address.Kind == ProxyAddressKind.Srv ? address : address.WithPort(0);
            var name = names.TryGetValue(key, out var known) ? known : ([], refresh);
            name.Subscribers.Add(subscriber);
            names[key] = name with { Refresh = refresh < name.Refresh ? refresh : name.Refresh };
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
