using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <summary>What an operator has changed about one destination of the configuration. Immutable.</summary>
internal sealed record DestinationOverride
{
    /// <summary>What the configuration said about it then: once that is something else, the override is void. Null = nothing, the operator has added it.</summary>
    public DestinationConfig? Configured { get; init; }

    /// <summary>What takes its place; null = nothing does.</summary>
    public DestinationConfig? Added { get; init; }

    public bool IsRemoved { get; init; }

    /// <summary>Null = as configured.</summary>
    public int? Weight { get; init; }

    public DestinationControl Control { get; init; }

    /// <summary>It says no more than the configuration does.</summary>
    public bool IsEmpty => Added is null && !IsRemoved && Weight is null && Control == default;

    /// <summary>What is in force; null = nothing, it is removed.</summary>
    public DestinationConfig? Result
        => IsRemoved || (Added ?? Configured) is not { } config ? null : config with { Weight = Weight ?? config.Weight, Control = Control };
}
