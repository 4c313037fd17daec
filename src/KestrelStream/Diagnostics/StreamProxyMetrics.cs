using KestrelStream.Dialing;
using KestrelStream.Sessions;
namespace KestrelStream.Diagnostics;
/// <summary>Counts what happens.</summary>
internal sealed class StreamProxyMetrics
{
    public void SessionStarted(StreamSession session) => _ = (this, session);
    public void SessionEnded(StreamSession session, TimeSpan duration) => _ = (this, session, duration);
    public void HandshakeEnded(StreamSession session, string result, TimeSpan elapsed) => _ = (this, session, result, elapsed);
    public void DialEnded(StreamSession session, in DialAttempt attempt) => _ = (this, session, attempt);
    public void ConfigReloaded(bool isApplied) => _ = (this, isApplied);
}
