using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace KestrelStream.ProxyProtocol;

/// <summary>The human-readable form (§2.1): <c>PROXY TCP4 source destination port port CRLF</c>. Pure.</summary>
internal static class ProxyHeaderV1
{
    /// <summary>Longest text of an IPv6 address, IPv4-mapped ones included.</summary>
    private const int MaxAddressChars = 45;

    private static readonly SearchValues<byte> V4Chars = SearchValues.Create("0123456789."u8);
    private static readonly SearchValues<byte> V6Chars = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    private static ReadOnlySpan<byte> Tcp4 => "PROXY TCP4 "u8;

    private static ReadOnlySpan<byte> Tcp6 => "PROXY TCP6 "u8;

    private static ReadOnlySpan<byte> Unknown => "PROXY UNKNOWN"u8;

    public static ProxyHeaderStatus Parse(ReadOnlySpan<byte> bytes, out ProxyHeader? header, out int length, out ProxyHeaderError error)
    {
        header = null;
        error = ProxyHeaderError.None;
        length = Math.Max(ProxyHeaderParser.MinBytes, bytes.Length + 1);
        var line = bytes[..Math.Min(bytes.Length, ProxyHeaderParser.MaxV1Bytes)];
        if (!Begins(line, Tcp4) && !Begins(line, Tcp6) && !Begins(line, Unknown))
        {
            error = ProxyHeaderError.Protocol;
            return ProxyHeaderStatus.Malformed;
        }

        var end = line.IndexOfAny("\r\n"u8);
        if (end < 0)
        {
            error = line.Length >= ProxyHeaderParser.MaxV1Bytes ? ProxyHeaderError.TooLong : ProxyHeaderError.None;
        }
        else if (line[end] == '\n' || (end + 1 < line.Length && line[end + 1] != '\n'))
        {
            error = ProxyHeaderError.Syntax;
        }
        else if (end + 1 < line.Length)
        {
            length = end + 2;
            error = ParseLine(line[..end], out header);
            return error == ProxyHeaderError.None ? ProxyHeaderStatus.Header : ProxyHeaderStatus.Malformed;
        }
        else if (line.Length >= ProxyHeaderParser.MaxV1Bytes)
        {
            error = ProxyHeaderError.TooLong;
        }

        return error == ProxyHeaderError.None ? ProxyHeaderStatus.NeedMore : ProxyHeaderStatus.Malformed;
    }

    private static ProxyHeaderError ParseLine(ReadOnlySpan<byte> line, out ProxyHeader? header)
    {
        header = null;
        if (line.StartsWith(Unknown))
        {
            // Whatever follows is to be ignored, but it must be a field of its own.
            if (line.Length > Unknown.Length && line[Unknown.Length] != ' ')
            {
                return ProxyHeaderError.Protocol;
            }

            header = new ProxyHeader { Version = 1 };
            return ProxyHeaderError.None;
        }

        if (line.Length < Tcp4.Length)
        {
            return ProxyHeaderError.Syntax;
        }

        var isV4 = line.StartsWith(Tcp4);
        var rest = line[Tcp4.Length..];
        if (!TryTake(ref rest, out var source) || !TryTake(ref rest, out var destination) || !TryTake(ref rest, out var sourcePort))
        {
            return ProxyHeaderError.Syntax;
        }

        if (!TryParseAddress(source, isV4, out var from) || !TryParseAddress(destination, isV4, out var to))
        {
            return ProxyHeaderError.Address;
        }

        if (!TryParsePort(sourcePort, out var fromPort) || !TryParsePort(rest, out var toPort))
        {
            return ProxyHeaderError.Port;
        }

        header = new ProxyHeader
        {
            Version = 1,
            Source = ProxyHeaderParser.EndPointOf(from, fromPort),
            Destination = ProxyHeaderParser.EndPointOf(to, toPort),
        };
        return ProxyHeaderError.None;
    }

    /// <summary>One field and the one space behind it.</summary>
    private static bool TryTake(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> field)
    {
        var space = rest.IndexOf((byte)' ');
        if (space <= 0)
        {
            field = default;
            return false;
        }

        field = rest[..space];
        rest = rest[(space + 1)..];
        return true;
    }

    private static bool TryParseAddress(ReadOnlySpan<byte> text, bool isV4, out IPAddress address)
    {
        address = IPAddress.None;
        if (text.Length > MaxAddressChars || text.ContainsAnyExcept(isV4 ? V4Chars : V6Chars))
        {
            return false;
        }

        if (isV4)
        {
            return TryParseV4(text, out address);
        }

        Span<char> chars = stackalloc char[MaxAddressChars];
        for (var i = 0; i < text.Length; i++)
        {
            chars[i] = (char)text[i];
        }

        return IPAddress.TryParse(chars[..text.Length], out address!) && address.AddressFamily == AddressFamily.InterNetworkV6;
    }

    /// <summary>Four decimal numbers; <see cref="IPAddress"/> takes octal ones and fewer than four too.</summary>
    private static bool TryParseV4(ReadOnlySpan<byte> text, out IPAddress address)
    {
        address = IPAddress.None;
        Span<byte> octets = stackalloc byte[4];
        for (var i = 0; i < octets.Length; i++)
        {
            var dot = i == octets.Length - 1 ? text.Length : text.IndexOf((byte)'.');
            if (dot < 0 || !TryParseNumber(text[..dot], byte.MaxValue, out var octet))
            {
                return false;
            }

            octets[i] = (byte)octet;
            text = text[Math.Min(dot + 1, text.Length)..];
        }

        address = new IPAddress(octets);
        return true;
    }

    private static bool TryParsePort(ReadOnlySpan<byte> text, out int port) => TryParseNumber(text, ushort.MaxValue, out port);

    /// <summary>Digits without leading zeros.</summary>
    private static bool TryParseNumber(ReadOnlySpan<byte> text, int highest, out int value)
    {
        value = 0;
        if (text.Length is 0 or > 5 || (text[0] == '0' && text.Length > 1))
        {
            return false;
        }

        foreach (var c in text)
        {
            if (c is < (byte)'0' or > (byte)'9')
            {
                return false;
            }

            value = (value * 10) + (c - '0');
        }

        return value <= highest;
    }

    private static bool Begins(ReadOnlySpan<byte> line, ReadOnlySpan<byte> with)
    {
        var count = Math.Min(line.Length, with.Length);
        return line[..count].SequenceEqual(with[..count]);
    }
}
