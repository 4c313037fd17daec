using System.Buffers;
using System.Net;
using System.Text;

namespace KestrelStream.Preread;

/// <summary>What counts as a name in a server_name extension: bytes in, never decoded. Pure.</summary>
internal static class ServerNameSyntax
{
    /// <summary>Longest DNS name as text, without the dot of the root (RFC 1035 §2.3.4: 255 on the wire).</summary>
    private const int MaxNameBytes = 253;

    private const int MaxLabelBytes = 63;

    private const int QuadLabels = 4;

    private static readonly SearchValues<byte> IPv6Characters = SearchValues.Create("0123456789abcdefABCDEF:."u8);

    /// <summary>
    /// False: not a name at all. True with the name as sent, its one trailing dot dropped; or with nothing, when an IP literal
    /// stands there: RFC 6066 §3 allows none, clients send them, and they say no more than the address that was dialled.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> sent, out ReadOnlySpan<byte> name)
    {
        name = default;
        if (sent.Contains((byte)':'))
        {
            return IsIPv6(sent);
        }

        var text = sent is [.., (byte)'.'] ? sent[..^1] : sent;
        if (text.Length is 0 or > MaxNameBytes)
        {
            return false;
        }

        var labels = 0;
        var octets = 0;
        var rest = text;
        while (true)
        {
            var dot = rest.IndexOf((byte)'.');
            var label = dot < 0 ? rest : rest[..dot];
            if (label.Length is 0 or > MaxLabelBytes || !IsLabel(label))
            {
                return false;
            }

            labels++;
            octets += IsOctet(label) ? 1 : 0;
            if (dot < 0)
            {
                break;
            }

            rest = rest[(dot + 1)..];
        }

        if (labels != QuadLabels || octets != QuadLabels)
        {
            name = text;
        }

        return true;
    }

    /// <summary>The form names are compared in.</summary>
    public static string ToLowerCase(ReadOnlySpan<byte> name)
    {
        Span<char> lower = stackalloc char[MaxNameBytes];
        Ascii.ToLower(name, lower, out var length);
        return new string(lower[..length]);
    }

    /// <summary>Letters, digits and hyphen anywhere (as resolvers take them), and the underscore that real names have.</summary>
    private static bool IsLabel(ReadOnlySpan<byte> label)
    {
        foreach (var b in label)
        {
            if (!char.IsAsciiLetterOrDigit((char)b) && b is not ((byte)'-' or (byte)'_'))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsOctet(ReadOnlySpan<byte> label)
    {
        if (label.Length > 3)
        {
            return false;
        }

        var value = 0;
        foreach (var b in label)
        {
            if (!char.IsAsciiDigit((char)b))
            {
                return false;
            }

            value = (value * 10) + (b - '0');
        }

        return value <= byte.MaxValue;
    }

    /// <summary>Address text only: IPAddress would also take brackets, a port and a scope.</summary>
    private static bool IsIPv6(ReadOnlySpan<byte> text)
        => !text.ContainsAnyExcept(IPv6Characters) && IPAddress.IsValidUtf8(text);
}
