namespace KestrelStream.Configuration;

/// <summary>Where sessions wait, first come first served, while every destination that could take them is at its MaxConnections.</summary>
public sealed record QueueConfig
{
    /// <summary>Most sessions that wait at once; beyond it: <see cref="Sessions.SessionEndReason.QueueFull"/>. Default 0: nobody waits.</summary>
    public int MaxLength { get; init; }

    /// <summary>Longest wait; then <see cref="Sessions.SessionEndReason.QueueTimeout"/>. Default 10 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);
}
