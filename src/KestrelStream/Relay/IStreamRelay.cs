using KestrelStream.Sessions;

namespace KestrelStream.Relay;

/// <summary>Copies both ways between the two ends of a session until both have ended. The seam at which engines differ.</summary>
internal interface IStreamRelay
{
    /// <summary>
    /// Ends when both directions have ended: the session's end reason is set then and both connections are closed or reset.
    /// Byte counts go to the session as they happen. Never throws for what a peer does.
    /// </summary>
    ValueTask RunAsync(StreamSession session);
}
