using System.Net;
using System.Net.Sockets;
using KestrelStream.Access;

namespace KestrelStream.ProxyProtocol;

/// <summary>Whether a client can be the one that a trusted peer announces. Pure.</summary>
internal static class AnnouncedClient
{
    /// <summary>A loopback or link-local client can only be one of a peer that is there itself: rules trust such addresses. A unix socket is of this machine.</summary>
    public static bool IsCredible(EndPoint? client, EndPoint? peer)
    {
        if (client is not IPEndPoint { Address: var announced } || peer is not IPEndPoint { Address: var from })
        {
            return true;
        }

        from = NetworkSyntax.Plain(from);
        return IPAddress.IsLoopback(from) || (!IPAddress.IsLoopback(announced) && (!IsLinkLocal(announced) || IsLinkLocal(from)));
    }

    private static bool IsLinkLocal(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        return address.IsIPv6LinkLocal || (address.AddressFamily == AddressFamily.InterNetwork && address.TryWriteBytes(bytes, out _) && bytes is [169, 254, ..]);
    }
}
