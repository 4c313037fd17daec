using KestrelStream.Preread.Detection;
using KestrelStream.Sessions;

namespace KestrelStream.StartTls;

/// <summary>LDAP: StartTLS as the client's first operation (RFC 4511 §4.14). Clients that begin with another one go where clear bytes go.</summary>
internal sealed class LdapDialog : StartTlsDialog
{
    private const byte Sequence = 0x30;
    private const byte Integer = 0x02;

    /// <summary>[APPLICATION 23] and [APPLICATION 24], constructed.</summary>
    private const byte ExtendedRequest = 0x77;
    private const byte ExtendedResponse = 0x78;

    /// <summary>[0], primitive: the name of the operation.</summary>
    private const byte RequestName = 0x80;

    /// <summary>messageID is 0 to 2^31 - 1.</summary>
    private const int MaxIdBytes = 4;

    private static ReadOnlySpan<byte> StartTls => "1.3.6.1.4.1.1466.20037"u8;

    /// <summary>resultCode success, empty matchedDN and diagnosticMessage, responseName.</summary>
    private static ReadOnlySpan<byte> Success => [0x0a, 1, 0, 0x04, 0, 0x04, 0, 0x8a, 22];

    public override string Name => "ldap";

    public override ProtocolVerdict Judge(ReadOnlySpan<byte> bytes) => Parse(bytes, out _, out _);

    public override async ValueTask<StartTlsStatus> AskAsync(StreamSession session, ReadOnlyMemory<byte> greeting)
    {
        var preread = session.Preread!;
        Parse(preread.Written.Span, out var id, out var length);

        // RFC 4511 §4.14.1: nothing may be sent behind the request before its answer.
        if (preread.Length > length)
        {
            return StartTlsStatus.Violation;
        }

        return (await session.Transport.SendAsync(ResponseTo(preread.Written.Span[id]))).IsOk ? StartTlsStatus.Ready : StartTlsStatus.Gone;
    }

    public override ValueTask<bool> BeginUpstreamAsync(StreamSession session) => ValueTask.FromResult(true);

    /// <remarks>
    /// <code>
    /// 30 length  02 length messageID  77 length  80 length "1.3.6.1.4.1.1466.20037"
    /// </code>
    /// Lengths in any of BER's definite forms.
    /// </remarks>
    private static ProtocolVerdict Parse(ReadOnlySpan<byte> bytes, out Range id, out int length)
    {
        id = default;
        length = 0;
        var at = 0;
        if (Take(bytes, ref at, Sequence, out var messageLength) is not ProtocolVerdict.Yes and var sequence)
        {
            return sequence;
        }

        length = at + messageLength;
        if (Take(bytes, ref at, Integer, out var idLength) is not ProtocolVerdict.Yes and var integer)
        {
            return integer;
        }

        if (idLength is 0 or > MaxIdBytes)
        {
            return ProtocolVerdict.No;
        }

        id = at..(at + idLength);
        at += idLength;
        if (Take(bytes, ref at, ExtendedRequest, out var requestLength) is not ProtocolVerdict.Yes and var request)
        {
            return request;
        }

        var end = at + requestLength;
        if (Take(bytes, ref at, RequestName, out var nameLength) is not ProtocolVerdict.Yes and var name)
        {
            return name;
        }

        return nameLength != StartTls.Length || at + nameLength != end || end != length ? ProtocolVerdict.No : ProtocolDetector.JudgePrefix(bytes[at..], StartTls);
    }

    /// <summary>A tag and its length. More than a few hundred bytes are nobody's StartTLS.</summary>
    private static ProtocolVerdict Take(ReadOnlySpan<byte> bytes, ref int at, byte tag, out int length)
    {
        length = 0;
        if (at >= bytes.Length)
        {
            return ProtocolVerdict.NeedMore;
        }

        if (bytes[at] != tag)
        {
            return ProtocolVerdict.No;
        }

        if (at + 1 >= bytes.Length)
        {
            return ProtocolVerdict.NeedMore;
        }

        var first = bytes[at + 1];
        at += 2;
        if (first < 0x80)
        {
            length = first;
            return ProtocolVerdict.Yes;
        }

        var more = first & 0x7f;
        if (more is 0 or > 4)
        {
            return ProtocolVerdict.No;
        }

        for (; more > 0; more--)
        {
            if (at >= bytes.Length)
            {
                return ProtocolVerdict.NeedMore;
            }

            length = (length << 8) | bytes[at++];
            if (length is < 0 or > byte.MaxValue)
            {
                return ProtocolVerdict.No;
            }
        }

        return ProtocolVerdict.Yes;
    }

    private static byte[] ResponseTo(ReadOnlySpan<byte> id)
    {
        var body = Success.Length + StartTls.Length;
        return [Sequence, (byte)(2 + id.Length + 2 + body), Integer, (byte)id.Length, .. id, ExtendedResponse, (byte)body, .. Success, .. StartTls];
    }
}
