using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <summary>End of a change that an operator asked for.</summary>
/// <param name="Status">What became of it.</param>
internal sealed record ChangeResult(ChangeStatus Status)
{
    /// <summary>Id of the cluster; null = it is not about one.</summary>
    public string? Cluster { get; init; }

    /// <summary>Id of the destination; null = it is not about one.</summary>
    public string? Destination { get; init; }

    /// <summary>What was in force before; null = nothing.</summary>
    public DestinationConfig? From { get; init; }

    /// <summary>What is in force now; null = nothing.</summary>
    public DestinationConfig? To { get; init; }

    /// <summary>Why it was refused.</summary>
    public IReadOnlyList<ConfigError> Errors { get; init; } = [];

    /// <summary>Of the configuration that is in force.</summary>
    public long Generation { get; init; }
}
