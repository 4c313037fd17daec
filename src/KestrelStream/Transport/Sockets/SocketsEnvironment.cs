using System.Net;
using System.Net.Sockets;
using KestrelStream.Relay;
using KestrelStream.Sessions;

namespace KestrelStream.Transport.Sockets;

/// <summary>Dials and relays on <see cref="Socket"/>. One for the process: sessions of other engines that need a stream (SslStream) move here.</summary>
internal sealed class SocketsEnvironment(SessionClock clock, SocketRelay relay) : SessionEnvironment
{
    public override SessionClock Clock { get; } = clock;

    public override IStreamRelay Relay { get; } = relay;

    public override StreamConnection? CreateUpstream(EndPoint endPoint)
    {
        try
        {
            var socket = endPoint is UnixDomainSocketEndPoint
                ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
                : new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            return new SocketConnection(socket, endPoint, localEndPoint: null);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    public override ParkedConnection Park(StreamConnection upstream) => new ParkedSocket((SocketConnection)upstream);

    public override StreamConnection Adopt(ParkedConnection parked) => parked.ToSocketConnection();

    public override ValueTask<ConnectStatus> ConnectAsync(StreamConnection upstream, EndPoint endPoint)
        => ((SocketConnection)upstream).ConnectAsync(endPoint);
}
