using KestrelStream.Configuration;
using KestrelStream.Model;
using KestrelStream.Transport;

namespace KestrelStream.Management;

/// <summary>The bound listeners. A change is prepared (new addresses are bound) before it is committed, so that a port in use rejects a reload as a whole. One call at a time.</summary>
internal sealed class ListenerSet(IStreamEngine engine, IServiceProvider services) : IAsyncDisposable
{
    private Dictionary<string, ListenerHost> _hosts = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>By listener id. Replaced as a whole; safe to read from any thread.</summary>
    public IReadOnlyDictionary<string, ListenerHost> Hosts => Volatile.Read(ref _hosts);

    /// <summary>Binds what is new.</summary>
    /// <exception cref="ListenerBindException">Nothing has changed.</exception>
    public async Task<Change> PrepareAsync(IReadOnlyDictionary<string, ListenerModel> models, CancellationToken cancellationToken)
    {
        var free = new Dictionary<string, ListenerHost>(_hosts, StringComparer.OrdinalIgnoreCase);
        var next = new Dictionary<string, ListenerHost>(StringComparer.OrdinalIgnoreCase);
        foreach (var model in models.Values)
        {
            if (TakeKept(free, model) is { } kept)
            {
                next.Add(model.Id, kept);
            }
        }

        var bound = new List<ListenerHost>();
        try
        {
            foreach (var model in models.Values)
            {
                if (!next.ContainsKey(model.Id))
                {
                    var host = await ListenerHost.BindAsync(model, engine, services, cancellationToken);
                    bound.Add(host);
                    next.Add(model.Id, host);
                }
            }
        }
        catch
        {
            foreach (var host in bound)
            {
                await host.DisposeAsync();
            }

            throw;
        }

        return new Change(next, [.. free.Values]);
    }

    /// <summary>Makes a prepared change the running one: kept addresses get their new model, removed ones stop accepting while their sessions go on.</summary>
    public async Task CommitAsync(Change change, IReadOnlyDictionary<string, ListenerModel> models)
    {
        foreach (var (id, host) in change.Next)
        {
            host.State.Model = models[id];
        }

        Volatile.Write(ref _hosts, change.Next);
        foreach (var host in change.Removed)
        {
            await host.DisposeAsync();
        }
    }

    /// <summary>Stops accepting everywhere.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var host in _hosts.Values)
        {
            await host.DisposeAsync();
        }
    }

    /// <summary>A bound address is kept when the same id or, the id having changed, any free host has it. Port 0 is kept by id only.</summary>
    private static ListenerHost? TakeKept(Dictionary<string, ListenerHost> free, ListenerModel model)
    {
        var key = free.TryGetValue(model.Id, out var same) && same.State.Model.Address == model.Address
            ? model.Id
            : model.Address is { Port: 0, Kind: not ProxyAddressKind.Unix } ? null
            : free.FirstOrDefault(pair => pair.Value.State.Model.Address == model.Address).Key;
        return key is not null && free.Remove(key, out var host) ? host : null;
    }

    /// <summary>A prepared change.</summary>
    internal sealed record Change(Dictionary<string, ListenerHost> Next, IReadOnlyList<ListenerHost> Removed);
}
