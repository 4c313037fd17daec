using System.Buffers.Binary;
using KestrelStream.Preread.Detection;
using KestrelStream.Sessions;

namespace KestrelStream.StartTls;

/// <summary>
/// PostgreSQL (documentation, "SSL Session Encryption"): the client sends SSLRequest and waits for one byte. A destination that gets the client's TLS as it is
/// gets the same request.
/// </summary>
internal sealed class PostgreSqlDialog : StartTlsDialog
{
    private const byte Yes = (byte)'S';

    /// <summary>Length 8, code 80877103.</summary>
    private static readonly byte[] s_sslRequest = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
    private static readonly byte[] s_yes = [Yes];
    private static readonly byte[] s_no = "N"u8.ToArray();

    public override string Name => "postgresql";

    /// <summary>SSLRequest, or GSSENCRequest, behind whose refusal an SSLRequest may come.</summary>
    public override ProtocolVerdict Judge(ReadOnlySpan<byte> bytes)
    {
        var verdict = PostgreSqlStartup.Judge(bytes);
        return verdict == ProtocolVerdict.Yes && CodeOf(bytes) is not (PostgreSqlStartup.SslRequest or PostgreSqlStartup.GssEncRequest) ? ProtocolVerdict.No : verdict;
    }

    public override async ValueTask<StartTlsStatus> AskAsync(StreamSession session, ReadOnlyMemory<byte> greeting)
    {
        var preread = session.Preread!;
        if (CodeOf(preread.Written.Span) == PostgreSqlStartup.GssEncRequest)
        {
            if (preread.Length > PostgreSqlStartup.PrefixBytes)
            {
                return StartTlsStatus.Violation;
            }

            if (!(await session.Transport.SendAsync(s_no)).IsOk)
            {
                return StartTlsStatus.Gone;
            }

            preread.Clear();
            while (Judge(preread) is var verdict && verdict != ProtocolVerdict.Yes)
            {
                if (verdict == ProtocolVerdict.No)
                {
                    // Encryption was offered and is not wanted: whatever it says now goes where clear bytes go.
                    return StartTlsStatus.Clear;
                }

                if (!preread.TryGetRoom(out var room) || await session.Transport.ReceiveAsync(room) is not { IsOk: true, Count: > 0 and var count })
                {
                    return StartTlsStatus.Gone;
                }

                preread.Advance(count);
            }

            if (CodeOf(preread.Written.Span) == PostgreSqlStartup.GssEncRequest)
            {
                return StartTlsStatus.Violation;
            }
        }

        // Whatever stands behind the request was sent before anybody could know of TLS: an attacker in between could have put it there (CVE-2021-23214).
        if (preread.Length > PostgreSqlStartup.PrefixBytes)
        {
            return StartTlsStatus.Violation;
        }

        return (await session.Transport.SendAsync(s_yes)).IsOk ? StartTlsStatus.Ready : StartTlsStatus.Gone;
    }

    public override async ValueTask<bool> BeginUpstreamAsync(StreamSession session)
    {
        if (session.Tls is not null)
        {
            // TLS has ended here: the destination gets the client's startup message.
            return true;
        }

        byte[] request = [.. session.UpstreamHeader.Span, .. s_sslRequest];
        session.UpstreamHeader = default;
        var answer = new byte[1];
        return (await session.Upstream!.SendAsync(request)).IsOk
            && await session.Upstream.ReceiveAsync(answer) is { IsOk: true, Count: 1 }
            && answer[0] == Yes;
    }

    private static int CodeOf(ReadOnlySpan<byte> message) => BinaryPrimitives.ReadInt32BigEndian(message[sizeof(int)..]);

    private ProtocolVerdict Judge(Preread.PrereadBuffer preread) => preread.Length == 0 ? ProtocolVerdict.NeedMore : Judge(preread.Written.Span);
}
