using System.Net.Sockets;

namespace KestrelStream.Management;

/// <summary>A listener's address cannot be bound: in use, not of this machine, or not allowed.</summary>
public sealed class ListenerBindException : IOException
{
    /// <param name="listener">Id of the listener.</param>
    /// <param name="address">Its address as configured.</param>
    /// <param name="inner">What the operating system said.</param>
    public ListenerBindException(string listener, string address, Exception inner)
        : base($"Listener \"{listener}\" cannot listen on {address}: {Describe(inner)}", inner)
    {
        Listener = listener;
        Address = address;
    }

    /// <summary>Id of the listener.</summary>
    public string Listener { get; }

    /// <summary>Its address as configured.</summary>
    public string Address { get; }

    internal static string Describe(Exception e)
    {
        for (Exception? cause = e; cause is not null; cause = cause.InnerException)
        {
            if (cause is SocketException socket)
            {
                return socket.SocketErrorCode switch
                {
                    SocketError.AddressAlreadyInUse => "the address is already in use",
                    SocketError.AddressNotAvailable => "the address does not belong to this machine",
                    SocketError.AccessDenied => "permission denied (a port below 1024 needs CAP_NET_BIND_SERVICE)",
                    _ => socket.Message,
                };
            }
        }

        return e.Message;
    }
}
