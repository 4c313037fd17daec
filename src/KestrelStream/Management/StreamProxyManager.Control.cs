using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <content>What operators change: a layer over the configuration, applied cluster by cluster.</content>
internal sealed partial class StreamProxyManager : IProxyControl
{
    /// <summary>As it was read, without what operators have changed. Null before the start.</summary>
    private StreamProxyConfig? _config;

    /// <summary>The one before that; null = there is none.</summary>
    private StreamProxyConfig? _configBefore;

    private DestinationOverrides _overrides = DestinationOverrides.None;

    public Task<ChangeResult> SetDestinationAsync(string cluster, string destination, DestinationChange change, CancellationToken cancellationToken)
        => ChangeAsync(cluster, destination, mustExist: true, before => Set(before, change), cancellationToken);

    public Task<ChangeResult> AddDestinationAsync(string cluster, string destination, DestinationConfig config, CancellationToken cancellationToken)
        => ChangeAsync(
            cluster,
            destination,
            mustExist: false,
            before => new DestinationOverride { Configured = before.Configured, Added = config == before.Configured ? null : config },
            cancellationToken);

    public Task<ChangeResult> RemoveDestinationAsync(string cluster, string destination, CancellationToken cancellationToken)
        => ChangeAsync(
            cluster,
            destination,
            mustExist: true,
            before => new DestinationOverride { Configured = before.Configured, IsRemoved = before.Configured is not null },
            cancellationToken);

    public async Task<ChangeResult> RollBackAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_current is null || _isDraining)
            {
                return new ChangeResult(ChangeStatus.NotRunning);
            }

            if (_configBefore is not { } before)
            {
                return new ChangeResult(ChangeStatus.NothingBefore);
            }

            // A token that was replaced meanwhile is not to be good again.
            var errors = await TryApplyAsync(before with { Admin = _config!.Admin }, ConfigEventKind.Rollback, CancellationToken.None);
            ReportReload(errors);
            return new ChangeResult(errors.Count == 0 ? ChangeStatus.Applied : ChangeStatus.Invalid) { Errors = errors, Generation = Generation };
        }
        finally
        {
            _gate.Release();
        }
    }

    public async Task<IReadOnlyList<ConfigDifference>> CompareAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_current is not { } running)
            {
                return [];
            }

            var source = checks.Validate(provider.GetConfig());
            var differences = ConfigComparison.Compare(running.Config, source.Errors.Count == 0 ? source.Config : _config!, source.Section, _overrides);
            return [.. differences, .. source.Errors.Select(error => new ConfigDifference(error.Path, null, null, error.Message))];
        }
        finally
        {
            _gate.Release();
        }
    }

    private static DestinationOverride Set(DestinationOverride before, DestinationChange change)
    {
        var control = new DestinationControl(change.State ?? before.Control.State, change.Health ?? before.Control.Health);
        var next = before with { Control = control };
        return (change.Weight, before.Added) switch
        {
            (null, _) => next,
            ({ } weight, { } added) => next with { Added = added with { Weight = weight } },
            ({ } weight, null) => next with { Weight = weight == before.Configured!.Weight ? null : weight },
        };
    }

    private static string? KeyOf(IReadOnlyDictionary<string, DestinationConfig> destinations, string id)
        => destinations.ContainsKey(id) ? destinations.Keys.First(key => key.Equals(id, StringComparison.OrdinalIgnoreCase)) : null;

    private async Task<ChangeResult> ChangeAsync(
        string clusterId, string id, bool mustExist, Func<DestinationOverride, DestinationOverride> change, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_current is not { } running || _isDraining)
            {
                return new ChangeResult(ChangeStatus.NotRunning);
            }

            if (!running.Clusters.TryGetValue(clusterId, out var state))
            {
                return new ChangeResult(ChangeStatus.UnknownCluster);
            }

            // As they are written where they come from, whatever the case of the request.
            clusterId = state.Id;
            id = KeyOf(running.Config.Clusters[clusterId].Destinations, id) ?? KeyOf(_config!.Clusters[clusterId].Destinations, id) ?? id;
            var before = _overrides.Of(_config!, clusterId, id);
            if (before.Result is null == mustExist)
            {
                return new ChangeResult(mustExist ? ChangeStatus.UnknownDestination : ChangeStatus.Exists);
            }

            var after = change(before);
            var result = new ChangeResult(after.Result == before.Result ? ChangeStatus.Unchanged : ChangeStatus.Applied)
            {
                Cluster = clusterId,
                Destination = id,
                From = before.Result,
                To = after.Result,
                Generation = running.Generation,
            };
            if (result.Status == ChangeStatus.Unchanged)
            {
                return result;
            }

            var overrides = _overrides.With(clusterId, id, after);
            var config = overrides.Over(_config!);
            var cluster = config.Clusters[clusterId];

            // The last one may be removed: its cluster then has nobody to send sessions to.
            if (cluster.Destinations.Count > 0 && checks.ValidateCluster(clusterId, cluster) is { Count: > 0 } errors)
            {
                return result with { Status = ChangeStatus.Invalid, To = null, Errors = errors };
            }

            clusters.Change(clusterId, cluster);
            FollowDestinations(running);
            _overrides = overrides;
            _current = running.With(config);
            return result;
        }
        finally
        {
            _gate.Release();
        }
    }
}
