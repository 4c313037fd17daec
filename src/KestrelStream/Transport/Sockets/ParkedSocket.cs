namespace KestrelStream.Transport.Sockets;

/// <summary>A parked connection of the portable engine.</summary>
internal sealed class ParkedSocket(SocketConnection connection) : ParkedConnection(connection.RemoteEndPoint!)
{
    public override ParkedState Look()
        => connection.HasPeerLeft() ? ParkedState.Ended
            : connection.HasReceived() ? ParkedState.HasReceived
            : ParkedState.Quiet;

    public override SocketConnection ToSocketConnection() => connection;

    public override void Close() => connection.Close();
}
