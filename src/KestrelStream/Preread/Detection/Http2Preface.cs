namespace KestrelStream.Preread.Detection;

/// <summary>HTTP/2 with prior knowledge: the 24 bytes of its preface (RFC 9113 §3.4). Pure.</summary>
internal static class Http2Preface
{
    public static ProtocolVerdict Judge(ReadOnlySpan<byte> bytes) => ProtocolDetector.JudgePrefix(bytes, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
}
