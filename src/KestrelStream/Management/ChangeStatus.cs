namespace KestrelStream.Management;

/// <summary>What became of a change that an operator asked for.</summary>
internal enum ChangeStatus
{
    /// <summary>It is in force.</summary>
    Applied,

    /// <summary>It was so before.</summary>
    Unchanged,

    /// <summary>The proxy has not started, or stops.</summary>
    NotRunning,

    /// <summary>There is no cluster of that id.</summary>
    UnknownCluster,

    /// <summary>There is no destination of that id.</summary>
    UnknownDestination,

    /// <summary>There is a destination of that id.</summary>
    Exists,

    /// <summary>It would make a configuration with mistakes.</summary>
    Invalid,

    /// <summary>No reload has been applied since start.</summary>
    NothingBefore,
}
