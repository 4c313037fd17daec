using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using Microsoft.AspNetCore.Connections;

namespace KestrelStream.Transport.EventLoop;

/// <summary>Binds an address once for every loop.</summary>
/// <remarks>
/// TCP: one SO_REUSEPORT socket a loop, among which the kernel deals connections out. The option would also let another process of the same
/// user listen on the same port without an error, so the first socket gets it only after it was bound: a bind without it fails when anybody
/// else listens there.
/// </remarks>
internal static class LoopSockets
{
    /// <returns>An entry for each address (two for <c>localhost</c>), with a socket for each loop.</returns>
    /// <exception cref="AddressInUseException">Someone else listens there.</exception>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public static List<(EndPoint EndPoint, ListeningSocket[] Sockets)> Bind(ProxyAddress address, int backlog, int loops)
    {
        var isShared = address.Kind == ProxyAddressKind.Unix;
        var first = BoundSockets.Bind(address, backlog: null);
        var sockets = new List<Socket>(first);
        try
        {
            var bound = new List<(EndPoint, ListeningSocket[])>();
            foreach (var socket in first)
            {
                if (isShared)
                {
                    socket.Listen(backlog);
                    var shared = new ListeningSocket(socket, loops);
                    bound.Add((socket.LocalEndPoint!, [.. Enumerable.Repeat(shared, loops)]));
                    continue;
                }

                SetReusePort(socket);
                socket.Listen(backlog);
                var own = new ListeningSocket[loops];
                own[0] = new ListeningSocket(socket, 1);
                for (var i = 1; i < loops; i++)
                {
                    var another = Another(socket, backlog);
                    sockets.Add(another);
                    own[i] = new ListeningSocket(another, 1);
                }

                bound.Add((socket.LocalEndPoint!, own));
            }

            return bound;
        }
        catch (Exception e)
        {
            sockets.ForEach(s => s.Dispose());
            if (e is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse })
            {
                throw new AddressInUseException(e.Message, e);
            }

            throw;
        }
    }

    private static Socket Another(Socket first, int backlog)
    {
        var socket = new Socket(first.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (first.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = first.DualMode;
            }

            socket.NoDelay = true;
            SetReusePort(socket);
            socket.Bind(first.LocalEndPoint!);
            socket.Listen(backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static void SetReusePort(Socket socket)
    {
        if (Native.SetReusePort((int)socket.Handle) is < 0 and var error)
        {
            throw new SocketException((int)SocketError.OperationNotSupported, $"The kernel refuses SO_REUSEPORT: errno {-error}");
        }
    }
}
