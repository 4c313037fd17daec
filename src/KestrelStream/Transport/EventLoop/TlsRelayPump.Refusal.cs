using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Transport.EventLoop;

/// <summary>What a client gets that breaks the rules.</summary>
internal sealed unsafe partial class TlsRelayPump
{
    /// <summary>Read of a client that has broken the rules, so that its alert is not overtaken by a reset.</summary>
    private const int MostLingering = 128 * 1024;

    private static readonly TimeSpan s_longestLingering = TimeSpan.FromSeconds(1);

    /// <summary>Not TLS any more: the client gets its alert, which OpenSSL has written, and the destination is reset.</summary>
    private void Refuse(OpenSslError error)
    {
        if (error.IsPeerAlert)
        {
            ReceiveFailed(isUpload: true);
            return;
        }

        _session.TryEnd(SessionEndReason.ProtocolViolation);
        _isLingering = true;
        _upstream.Reset();
        if (_download.Held.Count > 0 || _download.IsOver || _client.ShutdownSend() < 0)
        {
            EndWithReset();
            return;
        }

        _session.Enter(SessionPhase.Refuse, s_longestLingering);
        Linger();
    }

    /// <summary>Reads on for a moment: closing with bytes unread would make the kernel send RST, which would overtake the alert.</summary>
    private void Linger()
    {
        while (_isLingering && !_isOver && _client.IsReadable)
        {
            var received = _client.Receive(loop.Buffer, TlsBuffers.InputBytes);
            _lingered += Math.Max(received, 0);
            if (received == -Native.EAGAIN)
            {
                continue;
            }

            if (received <= 0 || _lingered > MostLingering)
            {
                Leave();
                _client.Close();
                _core.SetResult(true);
            }
        }
    }
}
