using KestrelStream.Sessions;
namespace KestrelStream.Diagnostics;
/// <summary>One record a session.</summary>
internal sealed class AccessLog
{
    public void Apply(Configuration.AccessLogConfig? config, string basePath) => _ = (this, config, basePath);
    public void Write(StreamSession session) => _ = (this, session);
}
