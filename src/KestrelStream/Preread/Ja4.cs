using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace KestrelStream.Preread;

/// <summary>
/// JA4, the fingerprint of a TLS client over TCP (FoxIO's specification): <c>t13d1516h2_8daaf6152771_e5627efa2ab1</c>. From the one parser's view of a
/// well-formed hello. Pure.
/// </summary>
internal static class Ja4
{
    private const ushort SignatureAlgorithms = 13;
    private const int MaxCount = 99;
    private const int HashBytes = 6;
    private const int BytesPerNumber = 5;
    private const string Nothing = "000000000000";

    /// <param name="hello">What the parser has found.</param>
    /// <param name="message">The whole message, its header included; well-formed.</param>
    public static string Of(in ClientHello hello, ReadOnlySpan<byte> message)
    {
        // Type and length (4), legacy_version (2), random (32).
        var reader = new TlsReader(message[38..]);
        reader.TryReadVector8(out _);
        reader.TryReadVector16(out var suites);
        reader.TryReadVector8(out _);
        reader.TryReadVector16(out var extensions);

        var ciphers = Numbers(suites);
        var types = new List<ushort>();
        var signatures = new List<ushort>();
        var hasName = false;
        var rest = new TlsReader(extensions);
        while (rest.TryReadUInt16(out var type) && rest.TryReadVector16(out var content))
        {
            hasName |= type == (ushort)TlsExtension.ServerName;
            if (type == SignatureAlgorithms && content.Length >= 2)
            {
                signatures = Numbers(content[2..]);
            }

            if (!IsGrease(type))
            {
                types.Add(type);
            }
        }

        var count = types.Count;
        types.RemoveAll(type => type is (ushort)TlsExtension.ServerName or (ushort)TlsExtension.Alpn);
        types.Sort();
        ciphers.Sort();
        var text = ArrayPool<byte>.Shared.Rent((Math.Max(ciphers.Count, types.Count + signatures.Count) + 1) * BytesPerNumber);
        var ciphersHash = Hash(ciphers.Count, text.AsSpan(0, Append(text, ciphers)));
        var length = Append(text, types);
        if (signatures.Count > 0)
        {
            text[length++] = (byte)'_';
            length += Append(text.AsSpan(length), signatures);
        }

        var typesHash = Hash(count, text.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(text);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"t{Version(hello.HighestVersion)}{(hasName ? 'd' : 'i')}{Math.Min(ciphers.Count, MaxCount):00}{Math.Min(count, MaxCount):00}{Alpn(hello.AlpnList)}_{ciphersHash}_{typesHash}");
    }

    private static string Version(ushort version) => version switch
    {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        _ => "00",
    };

    /// <summary>First and last character of the first protocol; of one that has others than letters and digits there, those of its hexadecimal form.</summary>
    private static string Alpn(ReadOnlySpan<byte> list)
    {
        if (list.IsEmpty)
        {
            return "00";
        }

        var name = list.Slice(1, list[0]);
        if (char.IsAsciiLetterOrDigit((char)name[0]) && char.IsAsciiLetterOrDigit((char)name[^1]))
        {
            return $"{(char)name[0]}{(char)name[^1]}";
        }

        var hex = Convert.ToHexStringLower(name);
        return $"{hex[0]}{hex[^1]}";
    }

    private static List<ushort> Numbers(ReadOnlySpan<byte> bytes)
    {
        var numbers = new List<ushort>(bytes.Length / sizeof(ushort));
        for (; bytes.Length >= sizeof(ushort); bytes = bytes[sizeof(ushort)..])
        {
            var number = BinaryPrimitives.ReadUInt16BigEndian(bytes);
            if (!IsGrease(number))
            {
                numbers.Add(number);
            }
        }

        return numbers;
    }

    /// <summary>RFC 8701: 0x0a0a, 0x1a1a, … 0xfafa.</summary>
    private static bool IsGrease(ushort number) => (number & 0x0f0f) == 0x0a0a && number >> 8 == (number & 0xff);

    /// <summary>Four hexadecimal digits each, with commas. Answers how many bytes.</summary>
    private static int Append(Span<byte> text, List<ushort> numbers)
    {
        var length = 0;
        foreach (var number in numbers)
        {
            if (length > 0)
            {
                text[length++] = (byte)',';
            }

            for (var shift = 12; shift >= 0; shift -= 4)
            {
                text[length++] = "0123456789abcdef"u8[(number >> shift) & 0xf];
            }
        }

        return length;
    }

    private static string Hash(int count, ReadOnlySpan<byte> list)
    {
        if (count == 0)
        {
            return Nothing;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(list, hash);
        return Convert.ToHexStringLower(hash[..HashBytes]);
    }
}
