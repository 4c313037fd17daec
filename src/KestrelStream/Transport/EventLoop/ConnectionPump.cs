namespace KestrelStream.Transport.EventLoop;

/// <summary>What takes the events of a session's two connections while it is relayed. On the loop's thread only.</summary>
internal abstract class ConnectionPump
{
    /// <param name="connection">One of the two.</param>
    /// <param name="events">EPOLL bits.</param>
    public abstract void OnEvents(LoopConnection connection, uint events);

    /// <summary>One of the connections was closed from outside: by a clock, an operator, a drain. The session has its reason already.</summary>
    public abstract void OnConnectionClosed();

    /// <summary>A defect: the session ends with it, where its runner logs it.</summary>
    public abstract void OnFailed(Exception exception);
}
