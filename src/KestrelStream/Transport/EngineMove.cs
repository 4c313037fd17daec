using KestrelStream.Sessions;
using KestrelStream.Transport.EventLoop;
using KestrelStream.Transport.Sockets;

namespace KestrelStream.Transport;

/// <summary>Moves a session to the portable engine, for work that needs streams and may take a thread: TLS by <c>SslStream</c>. Thread-safe.</summary>
internal sealed class EngineMove(SocketsEnvironment sockets)
{
    /// <summary>Does nothing for a session that is there already. Afterwards the session runs on the thread pool.</summary>
    public ValueTask MoveToSocketsAsync(StreamSession session)
    {
        if (ReferenceEquals(session.Environment, sockets))
        {
            return ValueTask.CompletedTask;
        }

        session.Leave();
        if (session.PendingWait is not null)
        {
            // A wait for a client that is silent so far: whoever relays waits anew.
            session.PendingWait = null;
            (session.Transport as LoopConnection)?.EndWait();
        }

        session.Transport = session.Client = session.Transport.Detach();
        session.Environment = sockets;
        return new ValueTask(Task.Factory.StartNew(static () => { }, CancellationToken.None, TaskCreationOptions.None, TaskScheduler.Default));
    }
}
