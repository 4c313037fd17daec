using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <summary>What an operator may change while the proxy runs. Thread-safe; one change at a time, and none during a reload.</summary>
internal interface IProxyControl
{
    /// <summary>Takes a destination out of service or back, gives it a weight, or says whether it is up.</summary>
    Task<ChangeResult> SetDestinationAsync(string cluster, string destination, DestinationChange change, CancellationToken cancellationToken);

    /// <summary>Adds a destination to a cluster.</summary>
    Task<ChangeResult> AddDestinationAsync(string cluster, string destination, DestinationConfig config, CancellationToken cancellationToken);

    /// <summary>Removes a destination; its sessions go on.</summary>
    Task<ChangeResult> RemoveDestinationAsync(string cluster, string destination, CancellationToken cancellationToken);

    /// <summary>Goes back to the configuration before the last applied one, as a reload does.</summary>
    Task<ChangeResult> RollBackAsync(CancellationToken cancellationToken);

    /// <summary>What runs otherwise than the source of the configuration has it now.</summary>
    Task<IReadOnlyList<ConfigDifference>> CompareAsync(CancellationToken cancellationToken);
}
