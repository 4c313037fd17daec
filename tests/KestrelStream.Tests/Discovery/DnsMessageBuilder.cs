using System.Buffers.Binary;
using System.Net;
using System.Text;
using KestrelStream.Discovery;

namespace KestrelStream.Tests.Discovery;

/// <summary>Writes answers byte by byte, right ones and wrong ones. Names may point to any place.</summary>
internal sealed class DnsMessageBuilder
{
    private readonly List<byte> _bytes = [];
    private readonly ushort[] _counts = new ushort[4];

    public DnsMessageBuilder(ushort id = 0x1234, ushort flags = 0x8180)
    {
        UInt16(id).UInt16(flags);
        _bytes.AddRange(new byte[8]);
    }

    public int Position => _bytes.Count;

    public DnsMessageBuilder Question(string name, DnsType type, ushort @class = 1)
    {
        _counts[0]++;
        return Name(name).UInt16((ushort)type).UInt16(@class);
    }

    public DnsMessageBuilder A(string name, string address, uint ttl = 60, int section = 1)
        => Record(section, name, DnsType.A, ttl, IPAddress.Parse(address).GetAddressBytes());

    public DnsMessageBuilder Aaaa(string name, string address, uint ttl = 60, int section = 1)
        => Record(section, name, DnsType.Aaaa, ttl, IPAddress.Parse(address).GetAddressBytes());

    public DnsMessageBuilder Cname(string name, string target, uint ttl = 60)
        => Record(1, name, DnsType.Cname, ttl, ToWire(target));

    public DnsMessageBuilder Srv(string name, ushort priority, ushort weight, ushort port, string target, uint ttl = 60)
        => Record(1, name, DnsType.Srv, ttl, [.. Bytes(priority), .. Bytes(weight), .. Bytes(port), .. ToWire(target)]);

    public DnsMessageBuilder Record(int section, string name, DnsType type, uint ttl, byte[] data, ushort @class = 1)
    {
        _counts[section]++;
        Name(name).UInt16((ushort)type).UInt16(@class).UInt16((ushort)(ttl >> 16)).UInt16((ushort)ttl).UInt16((ushort)data.Length);
        _bytes.AddRange(data);
        return this;
    }

    /// <summary>A record of the section whose name is these bytes.</summary>
    public DnsMessageBuilder RawName(int section, byte[] name, DnsType type, byte[] data)
    {
        _counts[section]++;
        _bytes.AddRange(name);
        UInt16((ushort)type).UInt16(1).UInt16(0).UInt16(60).UInt16((ushort)data.Length);
        _bytes.AddRange(data);
        return this;
    }

    public DnsMessageBuilder Raw(params byte[] bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public byte[] Build()
    {
        var bytes = _bytes.ToArray();
        for (var i = 0; i < _counts.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(4 + (2 * i)), _counts[i]);
        }

        return bytes;
    }

    public static byte[] ToWire(string name)
        => [.. name.Split('.', StringSplitOptions.RemoveEmptyEntries).SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.Latin1.GetBytes(label)]), 0];

    public static byte[] Bytes(ushort value) => [(byte)(value >> 8), (byte)value];

    private DnsMessageBuilder Name(string name) => Raw(ToWire(name));

    private DnsMessageBuilder UInt16(ushort value) => Raw(Bytes(value));
}
