using KestrelStream.Relay;
using KestrelStream.Sessions;

namespace KestrelStream.Transport.EventLoop;

/// <summary>The relay of one loop's sessions; see <see cref="RelayPump"/> and <see cref="TlsRelayPump"/>. Thread-safe: a call from elsewhere goes to the loop first.</summary>
internal sealed class LoopRelay(EventLoop loop, LoopEnvironment environment) : IStreamRelay
{
    public ValueTask RunAsync(StreamSession session) => loop.IsCurrent ? PumpAsync(session) : ResumeAndRunAsync(session);

    private ValueTask PumpAsync(StreamSession session)
        => session.Tls is null && session.UpstreamTls is null ? loop.RentPump().RunAsync(session) : loop.RentTlsPump().RunAsync(session);

    private async ValueTask ResumeAndRunAsync(StreamSession session)
    {
        await environment.ResumeAsync();
        await PumpAsync(session);
    }
}
