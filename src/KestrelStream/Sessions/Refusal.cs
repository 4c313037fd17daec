using System.Buffers;
using KestrelStream.Diagnostics;
using KestrelStream.Tls;
using KestrelStream.Transport;

namespace KestrelStream.Sessions;

/// <summary>Says no to a client: with a fatal TLS alert where it speaks TLS, and in a way that lets the alert arrive. Thread-safe.</summary>
internal static class Refusal
{
    /// <summary>How long a refused client may go on sending.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    /// <summary>And how much.</summary>
    private const int MostBytes = 128 * 1024;

    /// <summary>A fatal alert before any key is agreed on: content type 21, version 3.3, length 2, level 2 (fatal), description (RFC 8446 §5.1, §6).</summary>
    private static readonly byte[][] Alerts = [.. Enumerable.Range(0, 256).Select(d => new byte[] { 21, 3, 3, 0, 2, 2, (byte)d })];

    public static async ValueTask RefuseAsync(StreamSession session, SessionEndReason reason, TlsAlert alert)
    {
        session.TryEnd(reason);
        session.RefusedBytes = RefusedBytes.Of(session);
        session.ReleasePreread();
        var client = session.Transport;
        if (alert == TlsAlert.None)
        {
            client.Close();
            return;
        }

        await SendLastAsync(session, Alerts[(byte)alert]);
    }

    /// <summary>Sends what is the last word to a client, an alert, and gives it time to arrive. The session has its end reason.</summary>
    public static async ValueTask SendLastAsync(StreamSession session, ReadOnlyMemory<byte> alert)
    {
        var client = session.Transport;
        session.Enter(SessionPhase.Refuse, Longest);
        if (!(await client.SendAsync(alert)).IsOk || await client.ShutdownSendAsync() != IOStatus.Ok)
        {
            client.Close();
            return;
        }

        if (session.PendingWait is { } pending)
        {
            // It was silent so far. The clock of this phase ends the wait, too.
            session.PendingWait = null;
            await pending;
            await session.Environment.ResumeAsync();
        }

        // Closing with bytes unread makes the kernel send RST, which would overtake the alert: read on for a moment.
        var buffer = ArrayPool<byte>.Shared.Rent(4096);
        for (var total = 0; total < MostBytes;)
        {
            var received = await client.ReceiveAsync(buffer);
            if (!received.IsOk || received.Count == 0)
            {
                break;
            }

            total += received.Count;
        }

        ArrayPool<byte>.Shared.Return(buffer);
        client.Close();
    }
}
