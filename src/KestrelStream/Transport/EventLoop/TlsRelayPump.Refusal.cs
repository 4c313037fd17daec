using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Transport.EventLoop;

/// <content>What a peer gets that breaks the rules.</content>
internal sealed unsafe partial class TlsRelayPump
{
    /// <summary>Read of a peer that has broken the rules, so that its alert is not overtaken by a reset.</summary>
    private const int MostLingering = 128 * 1024;

    private static readonly TimeSpan s_longestLingering = TimeSpan.FromSeconds(1);

    /// <summary>Not TLS any more: the sender gets its alert, which OpenSSL has written, and the other side is reset.</summary>
    private void Refuse(ref RelayDirection direction, OpenSslError error)
    {
        if (!direction.IsUpload)
        {
            Session.UpstreamTlsError = error.Text;
            Session.TryEnd(SessionEndReason.UpstreamTlsFailed);
        }

        if (error.IsPeerAlert)
        {
            ReceiveFailed(direction.IsUpload);
            return;
        }

        Session.TryEnd(SessionEndReason.ProtocolViolation);
        _lingering = direction.From;
        direction.To.Reset();
        ref var back = ref Other(ref direction);
        if (back.Held.Count > 0 || back.IsOver || direction.From.ShutdownSend() < 0)
        {
            EndWithReset();
            return;
        }

        Session.Enter(SessionPhase.Refuse, s_longestLingering);
        Linger();
    }

    /// <summary>Reads on for a moment: closing with bytes unread would make the kernel send RST, which would overtake the alert.</summary>
    private void Linger()
    {
        while (_lingering is { IsReadable: true } peer && !IsOver)
        {
            var received = peer.Receive(Loop.Buffer, TlsBuffers.InputBytes);
            _lingered += Math.Max(received, 0);
            if (received == -Native.EAGAIN)
            {
                continue;
            }

            if (received <= 0 || _lingered > MostLingering)
            {
                EndWithClose(peer);
            }
        }
    }
}
