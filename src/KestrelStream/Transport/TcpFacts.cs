using System.Runtime.InteropServices;

namespace KestrelStream.Transport;

/// <summary>What the kernel knows of a TCP connection, asked once, when it is closed. Linux only; elsewhere, and of unix sockets, nothing is known.</summary>
internal sealed class TcpFacts
{
    /// <summary>TCP_INFO at level IPPROTO_TCP.</summary>
    public const int Option = 11;

    public const int Level = 6;

    /// <summary>As much of struct tcp_info (linux/tcp.h) as is read.</summary>
    public const int Bytes = 104;

    private const int RoundTripOffset = 68;
    private const int RetransmitsOffset = 100;

    /// <summary>Smoothed round-trip time; null = not known.</summary>
    public TimeSpan? RoundTrip { get; private set; }

    /// <summary>Segments that were sent again.</summary>
    public uint Retransmits { get; private set; }

    public void Read(ReadOnlySpan<byte> tcpInfo)
    {
        if (tcpInfo.Length < Bytes)
        {
            return;
        }

        RoundTrip = TimeSpan.FromMicroseconds(MemoryMarshal.Read<uint>(tcpInfo[RoundTripOffset..]));
        Retransmits = MemoryMarshal.Read<uint>(tcpInfo[RetransmitsOffset..]);
    }
}
