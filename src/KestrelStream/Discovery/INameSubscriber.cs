namespace KestrelStream.Discovery;

/// <summary>Somebody who needs to know what a name stands for. Two are the same when they are equal.</summary>
internal interface INameSubscriber
{
    /// <summary>For the log.</summary>
    string ClusterId { get; }

    /// <summary>For the log: as configured.</summary>
    string DestinationId { get; }

    /// <summary>A lookup has ended. Not under any lock, so an older state may come after a newer one.</summary>
    void Take(NameState state);

    /// <summary>Nobody is going to look any more.</summary>
    void Abandon();
}
