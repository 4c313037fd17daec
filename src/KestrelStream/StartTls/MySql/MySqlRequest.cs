namespace KestrelStream.StartTls.MySql;

/// <summary>What a client's first packet says: whether TLS begins behind it. Pure; any thread.</summary>
internal static class MySqlRequest
{
    /// <summary>The whole of a request for TLS; of a login the part that says that it is one.</summary>
    public const int Bytes = MySqlPacket.HeaderBytes + MySqlLogin.FixedBytes;

    /// <summary>A client's packets: a login with all its connection attributes, for which servers have 64 KiB.</summary>
    public const int MaxPayload = 80 * 1024;

    /// <summary>The greeting was 0.</summary>
    public const byte Number = 1;

    private const int CapabilitiesEnd = MySqlPacket.HeaderBytes + sizeof(uint);

    /// <param name="bytes">All that has been received; no more than <see cref="Bytes"/>.</param>
    /// <returns>Null = more is needed; Clear = it logs in without TLS; Violation = neither.</returns>
    public static StartTlsStatus? Judge(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < MySqlPacket.HeaderBytes)
        {
            return null;
        }

        var length = MySqlPacket.LengthOf(bytes);
        if (MySqlPacket.NumberOf(bytes) != Number || length is < MySqlLogin.FixedBytes or > MaxPayload)
        {
            return StartTlsStatus.Violation;
        }

        if (bytes.Length < CapabilitiesEnd)
        {
            return null;
        }

        var capabilities = MySqlLogin.CapabilitiesOf(bytes[MySqlPacket.HeaderBytes..]);
        if ((capabilities & MySqlCapabilities.Protocol41) == 0)
        {
            return StartTlsStatus.Violation;
        }

        return (capabilities & MySqlCapabilities.Ssl) == 0 ? StartTlsStatus.Clear
            : length != MySqlLogin.FixedBytes ? StartTlsStatus.Violation
            : bytes.Length < Bytes ? null
            : StartTlsStatus.Ready;
    }
}
