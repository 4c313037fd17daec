using System.Net;
using KestrelStream.Transport;

namespace KestrelStream.Tests.Diagnostics;

/// <summary>A connection that nothing ever comes from.</summary>
internal sealed class FakeConnection : StreamConnection
{
    public override ValueTask<IOResult> ReceiveAsync(Memory<byte> buffer) => new(new IOResult(0, IOStatus.Ok));

    public override ValueTask<IOStatus> WaitToReceiveAsync() => new(IOStatus.Ok);

    public override ValueTask<IOResult> SendAsync(ReadOnlyMemory<byte> buffer) => new(new IOResult(buffer.Length, IOStatus.Ok));

    public override ValueTask<IOStatus> ShutdownSendAsync() => new(IOStatus.Ok);

    public override void StopReceiving()
    {
    }

    public override void Reset()
    {
    }

    public override bool WasReset() => false;

    public override void Close()
    {
    }

    public static FakeConnection At(string endPoint) => new() { RemoteEndPoint = IPEndPoint.Parse(endPoint) };
}
