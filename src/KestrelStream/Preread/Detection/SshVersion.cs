namespace KestrelStream.Preread.Detection;

/// <summary>SSH: the identification of the client, <c>SSH-2.0-software</c> (RFC 4253 §4.2; 1.x before it). A client may also wait for the server's. Pure.</summary>
internal static class SshVersion
{
    public static ProtocolVerdict Judge(ReadOnlySpan<byte> bytes)
    {
        var modern = ProtocolDetector.JudgePrefix(bytes, "SSH-2.0-"u8);
        return modern == ProtocolVerdict.No ? ProtocolDetector.JudgePrefix(bytes, "SSH-1."u8) : modern;
    }
}
