using KestrelStream.Sessions;
namespace KestrelStream.Diagnostics;
/// <summary>One record a session.</summary>
internal sealed class AccessLog
{
    public void Write(StreamSession session) => _ = (this, session);
}
