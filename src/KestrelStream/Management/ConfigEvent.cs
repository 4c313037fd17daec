using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <summary>Something that happened to the configuration. Immutable.</summary>
internal sealed record ConfigEvent
{
    /// <summary>1 for the first since start.</summary>
    public required long Id { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required ConfigEventKind Kind { get; init; }

    /// <summary>The one in force afterwards; 0 = as before, an operator's change makes no new one.</summary>
    public long Generation { get; init; }

    /// <summary>Where a change over the API came from; null = it was none.</summary>
    public string? Who { get; init; }

    /// <summary>What an operator has changed.</summary>
    public string? What { get; init; }

    public string? From { get; init; }

    public string? To { get; init; }

    /// <summary>Why a reload was rejected.</summary>
    public IReadOnlyList<ConfigError> Errors { get; init; } = [];

    /// <summary>What is otherwise than in the configuration before; null = there was none, or it stayed.</summary>
    public ConfigChanges? Changes { get; init; }
}
