using KestrelStream.Configuration;

namespace KestrelStream.Management;

/// <summary>What an operator wants of a destination; null = as it is.</summary>
internal sealed record DestinationChange(OperatorState? State, int? Weight, OperatorHealth? Health);
