using KestrelStream.Relay;
using KestrelStream.Sessions;

namespace KestrelStream.Transport.EventLoop;

/// <summary>The relay of one loop's sessions; see <see cref="RelayPump"/>. Thread-safe: a call from elsewhere goes to the loop first.</summary>
internal sealed class LoopRelay(EventLoop loop, LoopEnvironment environment) : IStreamRelay
{
    public ValueTask RunAsync(StreamSession session) => loop.IsCurrent ? loop.RentPump().RunAsync(session) : ResumeAndRunAsync(session);

    private async ValueTask ResumeAndRunAsync(StreamSession session)
    {
        await environment.ResumeAsync();
        await loop.RentPump().RunAsync(session);
    }
}
