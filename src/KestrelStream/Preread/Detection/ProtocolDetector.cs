using KestrelStream.Configuration;

namespace KestrelStream.Preread.Detection;

/// <summary>Tells protocols by a client's first bytes, which are known not to be TLS. Pure; one small class a protocol.</summary>
internal static class ProtocolDetector
{
    /// <summary>Protocols in which the client speaks first and not TLS: those that can be told by bytes.</summary>
    public static bool IsToldByBytes(ClientProtocol protocol) => protocol is not (ClientProtocol.Tls or ClientProtocol.ServerFirst);

    /// <param name="protocol">What is asked for.</param>
    /// <param name="bytes">All bytes of the connection so far, at least one.</param>
    public static ProtocolVerdict Judge(ClientProtocol protocol, ReadOnlySpan<byte> bytes) => protocol switch
    {
        ClientProtocol.Http1 => Http1Request.Judge(bytes),
        ClientProtocol.Http2 => Http2Preface.Judge(bytes),
        ClientProtocol.Ssh => SshVersion.Judge(bytes),
        ClientProtocol.PostgreSql => PostgreSqlStartup.Judge(bytes),
        ClientProtocol.Rdp => RdpConnectionRequest.Judge(bytes),
        ClientProtocol.Socks => SocksRequest.Judge(bytes),
        _ => ProtocolVerdict.No,
    };

    /// <summary>Whether the bytes begin with <paramref name="prefix"/>, as far as they go.</summary>
    internal static ProtocolVerdict JudgePrefix(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> prefix)
    {
        var count = Math.Min(bytes.Length, prefix.Length);
        return !bytes[..count].SequenceEqual(prefix[..count]) ? ProtocolVerdict.No
            : count == prefix.Length ? ProtocolVerdict.Yes
            : ProtocolVerdict.NeedMore;
    }
}
