using System.Buffers.Binary;
using System.Text;

namespace KestrelStream.Tests.ProxyProtocol;

/// <summary>Headers byte by byte, written without the code under test.</summary>
internal static class HeaderBytes
{
    public const string Signature = "0d0a0d0a000d0a515549540a";

    /// <summary>192.0.2.1:56324 → 198.51.100.2:443.</summary>
    public const string V4Block = "c0000201c6336402dc0401bb";

    public static byte[] V1(string line) => Encoding.Latin1.GetBytes(line + "\r\n");

    /// <summary>A v2 header whose length fits what follows.</summary>
    public static byte[] V2(byte command, byte family, params byte[] rest)
    {
        var length = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(length, (ushort)rest.Length);
        return [.. Convert.FromHexString(Signature), command, family, .. length, .. rest];
    }

    /// <summary>PROXY over TCP and IPv4, with TLVs.</summary>
    public static byte[] V2WithTlvs(params byte[][] tlvs) => V2(0x21, 0x11, [.. Convert.FromHexString(V4Block), .. tlvs.SelectMany(tlv => tlv)]);

    public static byte[] Tlv(byte type, params byte[] value) => [type, (byte)(value.Length >> 8), (byte)value.Length, .. value];

    public static byte[] Tlv(byte type, string value) => Tlv(type, Encoding.UTF8.GetBytes(value));
}
