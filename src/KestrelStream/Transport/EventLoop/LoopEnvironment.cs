using System.Net;
using System.Threading.Tasks.Sources;
using KestrelStream.Relay;
using KestrelStream.Sessions;

namespace KestrelStream.Transport.EventLoop;

/// <summary>What sessions of one loop get from it: its clock, its relay, dials on its own epoll. Thread-safe: a call from elsewhere goes to the loop first.</summary>
internal sealed class LoopEnvironment : SessionEnvironment, IValueTaskSource
{
    private readonly EventLoop _loop;

    public LoopEnvironment(EventLoop loop)
    {
        _loop = loop;
        Relay = new LoopRelay(loop, this);
    }

    public override SessionClock Clock => _loop.Clock;

    public override IStreamRelay Relay { get; }

    public override StreamConnection? CreateUpstream(EndPoint endPoint)
    {
        var family = NativeAddress.FamilyOf(endPoint);
        var fd = Native.Socket(family);
        if (fd < 0)
        {
            return null;
        }

        return new LoopConnection(_loop, fd) { RemoteEndPoint = endPoint, MayDelay = family != Native.AF_UNIX };
    }

    public override ValueTask<ConnectStatus> ConnectAsync(StreamConnection upstream, EndPoint endPoint)
        => _loop.IsCurrent ? ((LoopConnection)upstream).ConnectAsync(endPoint) : ResumeAndConnectAsync((LoopConnection)upstream, endPoint);

    public override ParkedConnection? Park(StreamConnection upstream) => ((LoopConnection)upstream).Park();

    public override StreamConnection Adopt(ParkedConnection parked)
        => new LoopConnection(_loop, ((ParkedDescriptor)parked).Take()) { RemoteEndPoint = parked.RemoteEndPoint };

    public override ValueTask ResumeAsync() => _loop.IsCurrent ? ValueTask.CompletedTask : new ValueTask(this, 0);

    // The source of ResumeAsync has no state: it is never complete elsewhere, and what waits for it is posted to the loop.
    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _loop.IsCurrent ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
        => _loop.Post(continuation, state);

    void IValueTaskSource.GetResult(short token)
    {
    }

    private async ValueTask<ConnectStatus> ResumeAndConnectAsync(LoopConnection upstream, EndPoint endPoint)
    {
        await ResumeAsync();
        return await upstream.ConnectAsync(endPoint);
    }
}
