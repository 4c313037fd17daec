namespace KestrelStream.Admin;

/// <summary>What can be changed over the API. Names show in the log and, in snake_case, in metrics.</summary>
internal enum AdminChange
{
    /// <summary>State, weight or health of a destination.</summary>
    DestinationSet,

    /// <summary>A new destination.</summary>
    DestinationAdd,

    /// <summary>A destination goes.</summary>
    DestinationRemove,

    /// <summary>Sessions are closed.</summary>
    SessionClose,

    /// <summary>Nothing yet: whether a token is the right one.</summary>
    TokenCheck,

    /// <summary>Back to the configuration before.</summary>
    ConfigRollback,
}
