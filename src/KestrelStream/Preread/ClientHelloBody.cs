using System.Buffers.Binary;

namespace KestrelStream.Preread;

/// <summary>The fields of a ClientHello body (RFC 8446 §4.1.2, RFC 5246 §7.4.1.2) that anything here uses, checked as far as they can mislead. A view of the bytes.</summary>
internal ref struct ClientHelloBody
{
    /// <summary>legacy_version, random, and the three vectors at their shortest: 2 + 32 + 1 + (2 + 2) + (1 + 1).</summary>
    public const int MinLength = 41;

    private const int RandomLength = 32;
    private const int MaxSessionIdLength = 32;

    /// <summary>Extensions of a common hello: about 20. Their types are searched as one list, a vector compare or two; beyond this a bit map pays.</summary>
    private const int ListedTypes = 64;

    private const ushort Ssl3 = 0x0300;
    private const ushort Tls12 = 0x0303;

    /// <summary>The host_name as sent, without a trailing dot. Empty = none, or an IP literal.</summary>
    public ReadOnlySpan<byte> ServerName { get; private set; }

    /// <summary>See <see cref="ClientHello.AlpnList"/>.</summary>
    public ReadOnlySpan<byte> AlpnList { get; private set; }

    /// <summary>See <see cref="ClientHello.HighestVersion"/>.</summary>
    public ushort HighestVersion { get; private set; }

    /// <summary>See <see cref="ClientHello.Ech"/>.</summary>
    public EncryptedHello Ech { get; private set; }

    /// <summary>Reads a whole body. On an error the fields mean nothing.</summary>
    public static ClientHelloError Parse(ReadOnlySpan<byte> bytes, out ClientHelloBody body)
    {
        body = default;
        var reader = new TlsReader(bytes);
        if (!reader.TryReadUInt16(out var legacyVersion) || !reader.TryReadBytes(RandomLength, out _))
        {
            return ClientHelloError.MessageTooShort;
        }

        if (legacyVersion < Ssl3)
        {
            return ClientHelloError.LegacyVersion;
        }

        // Above TLS 1.2 there is only supported_versions (RFC 8446 §4.2.1).
        body.HighestVersion = Math.Min(legacyVersion, Tls12);

        if (!reader.TryReadVector8(out var sessionId) || sessionId.Length > MaxSessionIdLength)
        {
            return ClientHelloError.SessionId;
        }

        if (!reader.TryReadVector16(out var cipherSuites) || cipherSuites.IsEmpty || cipherSuites.Length % 2 != 0)
        {
            return ClientHelloError.CipherSuites;
        }

        if (!reader.TryReadVector8(out var compressionMethods) || compressionMethods.IsEmpty)
        {
            return ClientHelloError.CompressionMethods;
        }

        if (!compressionMethods.Contains((byte)0))
        {
            return ClientHelloError.NoNullCompression;
        }

        // No block at all is legal up to TLS 1.2; a block is the rest of the message, to the byte.
        if (reader.IsEmpty)
        {
            return ClientHelloError.None;
        }

        if (!reader.TryReadVector16(out var extensions) || !reader.IsEmpty)
        {
            return ClientHelloError.ExtensionLengths;
        }

        return body.ReadExtensions(extensions);
    }

    private ClientHelloError ReadExtensions(ReadOnlySpan<byte> extensions)
    {
        Span<ushort> types = stackalloc ushort[ListedTypes];
        var count = 0;
        var reader = new TlsReader(extensions);
        while (!reader.IsEmpty)
        {
            if (!reader.TryReadUInt16(out var type) || !reader.TryReadVector16(out var content))
            {
                return ClientHelloError.ExtensionLengths;
            }

            if (count < ListedTypes)
            {
                if (types[..count].Contains(type))
                {
                    return ClientHelloError.DuplicateExtension;
                }

                types[count] = type;
            }

            count++;
            var error = ReadExtension(type, content, isLast: reader.IsEmpty);
            if (error != ClientHelloError.None)
            {
                return error;
            }
        }

        return count > ListedTypes && HasDuplicate(extensions) ? ClientHelloError.DuplicateExtension : ClientHelloError.None;
    }

    private ClientHelloError ReadExtension(ushort type, ReadOnlySpan<byte> content, bool isLast)
    {
        switch ((TlsExtension)type)
        {
            case TlsExtension.ServerName:
                return ReadServerName(content);
            case TlsExtension.Alpn:
                return ReadAlpn(content);
            case TlsExtension.SupportedVersions:
                return ReadSupportedVersions(content);
            case TlsExtension.PreSharedKey:
                return isLast ? ClientHelloError.None : ClientHelloError.PreSharedKeyNotLast;
            case TlsExtension.EncryptedClientHello:
                // Beyond its first byte nothing is read: GREASE may hold anything, and is to be borne.
                Ech = content is [1, ..] ? EncryptedHello.Inner : EncryptedHello.Outer;
                return ClientHelloError.None;
            default:
                return ClientHelloError.None;
        }
    }

    /// <summary>The list type allows more names and other kinds; no client may or does send them (RFC 6066 §3), and peers disagree on which one counts.</summary>
    private ClientHelloError ReadServerName(ReadOnlySpan<byte> content)
    {
        const byte hostNameType = 0;

        var outer = new TlsReader(content);
        if (!outer.TryReadVector16(out var list) || !outer.IsEmpty)
        {
            return ClientHelloError.ServerNameList;
        }

        var entry = new TlsReader(list);
        if (!entry.TryReadByte(out var nameType) || nameType != hostNameType
            || !entry.TryReadVector16(out var sent) || sent.IsEmpty || !entry.IsEmpty)
        {
            return ClientHelloError.ServerNameList;
        }

        if (!ServerNameSyntax.TryParse(sent, out var name))
        {
            return ClientHelloError.ServerName;
        }

        ServerName = name;
        return ClientHelloError.None;
    }

    private ClientHelloError ReadAlpn(ReadOnlySpan<byte> content)
    {
        var outer = new TlsReader(content);
        if (!outer.TryReadVector16(out var list) || list.IsEmpty || !outer.IsEmpty)
        {
            return ClientHelloError.AlpnList;
        }

        var names = new TlsReader(list);
        while (!names.IsEmpty)
        {
            if (!names.TryReadVector8(out var name) || name.IsEmpty)
            {
                return ClientHelloError.AlpnList;
            }
        }

        AlpnList = list;
        return ClientHelloError.None;
    }

    private ClientHelloError ReadSupportedVersions(ReadOnlySpan<byte> content)
    {
        var outer = new TlsReader(content);
        if (!outer.TryReadVector8(out var versions) || versions.IsEmpty || versions.Length % 2 != 0 || !outer.IsEmpty)
        {
            return ClientHelloError.SupportedVersions;
        }

        // Only 3.x is TLS: GREASE, drafts (0x7f1c) and DTLS (0xfefd) are larger numbers, not later versions.
        HighestVersion = 0;
        for (var i = 0; i < versions.Length; i += sizeof(ushort))
        {
            var version = BinaryPrimitives.ReadUInt16BigEndian(versions[i..]);
            if (version >> 8 == 3 && version > HighestVersion)
            {
                HighestVersion = version;
            }
        }

        return ClientHelloError.None;
    }

    /// <summary>Linear for any number of extensions (64 KiB holds 16,000). In a method of its own: its 8 KiB are cleared only for a hello that needs them.</summary>
    private static bool HasDuplicate(ReadOnlySpan<byte> extensions)
    {
        const int bits = 8 * sizeof(ulong);

        Span<ulong> seen = stackalloc ulong[(ushort.MaxValue + 1) / bits];
        var reader = new TlsReader(extensions);
        while (reader.TryReadUInt16(out var type) && reader.TryReadVector16(out _))
        {
            var bit = 1UL << (type % bits);
            ref var word = ref seen[type / bits];
            if ((word & bit) != 0)
            {
                return true;
            }

            word |= bit;
        }

        return false;
    }
}
