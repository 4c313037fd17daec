namespace KestrelStream.Preread;

/// <summary>What a well-formed ClientHello says, as far as routing and termination use it. A view: valid while the bytes it was parsed from are.</summary>
internal readonly ref struct ClientHello
{
    /// <summary>Lower-cased, without a trailing dot; null = no name was given (an IP literal counts as none).</summary>
    public string? ServerName { get; init; }

    /// <summary>Body of ProtocolNameList (RFC 7301 §3.1) without its outer length: names, each behind one length byte, all checked. Empty = no ALPN extension.</summary>
    public ReadOnlySpan<byte> AlpnList { get; init; }

    /// <summary>The highest TLS version (0x03xx) that supported_versions names, 0 when it names none; without that extension legacy_version, 0x0303 at most.</summary>
    public ushort HighestVersion { get; init; }

    /// <summary>The encrypted_client_hello extension.</summary>
    public EncryptedHello Ech { get; init; }

    /// <summary>Whether the client offers a protocol, byte for byte.</summary>
    public bool OffersAlpn(ReadOnlySpan<byte> protocol)
    {
        var rest = AlpnList;
        while (!rest.IsEmpty)
        {
            var name = rest.Slice(1, rest[0]);
            if (name.SequenceEqual(protocol))
            {
                return true;
            }

            rest = rest[(1 + name.Length)..];
        }

        return false;
    }
}
