namespace KestrelStream.Management;

/// <summary>What happened to the configuration.</summary>
internal enum ConfigEventKind
{
    /// <summary>The first one came into force.</summary>
    Start,

    /// <summary>A reload was applied.</summary>
    Reload,

    /// <summary>A reload had mistakes and changed nothing.</summary>
    Rejected,

    /// <summary>The configuration before came back.</summary>
    Rollback,

    /// <summary>An operator has changed something over the API.</summary>
    Change,
}
