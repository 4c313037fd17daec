using System.Buffers.Binary;
using System.Text;

namespace KestrelStream.Discovery;

/// <summary>What is asked of a name server.</summary>
/// <param name="Name">In lower case, labels of 1 to 63 characters, 253 in all, without a trailing dot.</param>
/// <param name="Type">Of the records wanted.</param>
internal readonly record struct DnsQuestion(string Name, DnsType Type)
{
    /// <summary>Goes through every link unfragmented (DNS flag day 2020).</summary>
    public const int MaxUdpBytes = 1232;

    public const ushort ClassInternet = 1;

    private const ushort RecursionDesired = 0x0100;

    /// <summary>The query as it is sent.</summary>
    /// <param name="id">Chosen at random: a forger has to guess it.</param>
    /// <param name="withEdns">Says that answers may be longer than 512 bytes. Servers from before 1999 know nothing of it.</param>
    public byte[] ToQuery(ushort id, bool withEdns)
    {
        var query = new byte[12 + Name.Length + 2 + 4 + (withEdns ? 11 : 0)];
        var bytes = query.AsSpan();
        BinaryPrimitives.WriteUInt16BigEndian(bytes, id);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], RecursionDesired);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], 1);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[10..], withEdns ? (ushort)1 : (ushort)0);
        var at = 12;
        foreach (var label in Name.Split('.'))
        {
            bytes[at++] = (byte)label.Length;
            at += Encoding.ASCII.GetBytes(label, bytes[at..]);
        }

        at++;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[at..], (ushort)Type);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[(at + 2)..], ClassInternet);
        if (withEdns)
        {
            // Root name, type, our buffer in place of a class; no flags, no options.
            BinaryPrimitives.WriteUInt16BigEndian(bytes[(at + 5)..], (ushort)DnsType.Opt);
            BinaryPrimitives.WriteUInt16BigEndian(bytes[(at + 7)..], MaxUdpBytes);
        }

        return query;
    }
}
