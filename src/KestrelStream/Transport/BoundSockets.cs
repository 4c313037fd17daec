using System.Net;
using System.Net.Sockets;
using KestrelStream.Configuration;
using Microsoft.AspNetCore.Connections;

namespace KestrelStream.Transport;

/// <summary>Turns a listener's address into listening sockets: one, or two for <c>localhost</c>.</summary>
internal static class BoundSockets
{
    /// <param name="address">Where.</param>
    /// <param name="backlog">Connections the kernel may hold before they are accepted; null = bind without listening.</param>
    /// <remarks>SO_REUSEADDR is set by .NET itself on Unix, so that a restart is not stopped by TIME_WAIT.</remarks>
    /// <exception cref="AddressInUseException">Someone else listens there.</exception>
    /// <exception cref="SocketException">The address cannot be bound.</exception>
    public static List<Socket> Bind(ProxyAddress address, int? backlog)
    {
        var sockets = new List<Socket>(2);
        try
        {
            switch (address.Kind)
            {
                case ProxyAddressKind.Unix:
                    sockets.Add(BindUnix(address.Host, backlog));
                    break;

                case ProxyAddressKind.Any when Socket.OSSupportsIPv6:
                    sockets.Add(BindIp(new IPEndPoint(IPAddress.IPv6Any, address.Port), backlog, dualMode: true));
                    break;

                case ProxyAddressKind.Any:
                    sockets.Add(BindIp(new IPEndPoint(IPAddress.Any, address.Port), backlog, dualMode: false));
                    break;

                case ProxyAddressKind.Localhost:
                    BindLocalhost(sockets, address.Port, backlog);
                    break;

                default:
                    sockets.Add(BindIp(new IPEndPoint(address.Ip!, address.Port), backlog, dualMode: false));
                    break;
            }

            return sockets;
        }
        catch (SocketException e)
        {
            sockets.ForEach(s => s.Dispose());
            if (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                throw new AddressInUseException(e.Message, e);
            }

            throw;
        }
    }

    private static void BindLocalhost(List<Socket> sockets, int port, int? backlog)
    {
        var v4 = BindIp(new IPEndPoint(IPAddress.Loopback, port), backlog, dualMode: false);
        sockets.Add(v4);
        try
        {
            // Port 0 took a free one: both loopbacks share it.
            var bound = ((IPEndPoint)v4.LocalEndPoint!).Port;
            sockets.Add(BindIp(new IPEndPoint(IPAddress.IPv6Loopback, bound), backlog, dualMode: false));
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressFamilyNotSupported or SocketError.AddressNotAvailable)
        {
            // A machine without IPv6 has one loopback.
        }
    }

    private static Socket BindIp(IPEndPoint endPoint, int? backlog, bool dualMode)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endPoint.AddressFamily == AddressFamily.InterNetworkV6)
            {
                socket.DualMode = dualMode;
            }

            // Accepted sockets inherit it: a call a connection less.
            socket.NoDelay = true;
            socket.Bind(endPoint);
            if (backlog is { } length)
            {
                socket.Listen(length);
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static Socket BindUnix(string path, int? backlog)
    {
        RemoveStale(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(path));
            if (backlog is { } length)
            {
                socket.Listen(length);
            }

            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A process that was killed leaves its socket file behind: when nobody answers there, it may go. A live one stays and bind fails.</summary>
    private static void RemoveStale(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
        }
        catch (SocketException)
        {
            // Not a socket, or not ours to judge: bind says what is wrong.
        }
    }
}
