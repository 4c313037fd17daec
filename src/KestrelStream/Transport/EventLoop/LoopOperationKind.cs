namespace KestrelStream.Transport.EventLoop;

/// <summary>What a <see cref="LoopOperation"/> waits to do.</summary>
internal enum LoopOperationKind : byte
{
    Receive,
    WaitToReceive,
    Send,
    ShutdownSend,

    /// <summary>Waits for its turn to take a step of a handshake.</summary>
    HandshakeStep,
    Connect,
}
