using System.Net;
using KestrelStream.Relay;
using KestrelStream.Sessions;
using KestrelStream.Transport;

namespace KestrelStream.Tests.Diagnostics;

/// <summary>An environment without clock or network.</summary>
internal sealed class FakeEnvironment : SessionEnvironment
{
    public override SessionClock Clock { get; } = new NoClock();

    public override IStreamRelay Relay => throw new NotSupportedException();

    public override StreamConnection? CreateUpstream(EndPoint endPoint) => null;

    public override ValueTask<ConnectStatus> ConnectAsync(StreamConnection upstream, EndPoint endPoint) => new(ConnectStatus.Failed);

    public override ParkedConnection? Park(StreamConnection upstream) => null;

    public override StreamConnection Adopt(ParkedConnection parked) => throw new NotSupportedException();

    private sealed class NoClock : SessionClock
    {
        public override long Now => 0;

        public override void Schedule(TimerNode node, long dueMilliseconds)
        {
        }

        public override void Cancel(TimerNode node)
        {
        }
    }
}
