namespace KestrelStream.Configuration;

/// <summary>What an operator wants of a destination.</summary>
internal enum OperatorState
{
    /// <summary>It gets sessions.</summary>
    Ready,

    /// <summary>No new sessions; those that run go on, and so do active checks.</summary>
    Drain,

    /// <summary>As <see cref="Drain"/>, and nobody checks it: it may be switched off.</summary>
    Maintenance,
}
