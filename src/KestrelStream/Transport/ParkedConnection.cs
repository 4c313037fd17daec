using System.Net;
using KestrelStream.Transport.Sockets;

namespace KestrelStream.Transport;

/// <summary>
/// A connection that is no session's and no thread's yet: made ahead by one environment, adopted by the one that needs it. Nothing was sent
/// or received on it. One owner at a time; any thread.
/// </summary>
internal abstract class ParkedConnection(EndPoint remoteEndPoint)
{
    public EndPoint RemoteEndPoint { get; } = remoteEndPoint;

    /// <summary>What the kernel knows of its peer now.</summary>
    public abstract ParkedState Look();

    /// <summary>The same connection as one of the portable engine; this object must not be used afterwards.</summary>
    public abstract SocketConnection ToSocketConnection();

    /// <summary>Closes orderly. Idempotent.</summary>
    public abstract void Close();
}
