namespace KestrelStream.Sessions;

/// <summary>What a pipeline step can know of the session its connection belongs to; on <c>ConnectionContext.Features</c>.</summary>
public interface IStreamSessionFeature
{
    /// <summary>Unique while the process runs.</summary>
    long SessionId { get; }

    /// <summary>Id of the listener that accepted it.</summary>
    string ListenerId { get; }
}
