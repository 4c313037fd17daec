using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Transport.EventLoop;

/// <summary>To the client: encrypted on the way.</summary>
internal sealed unsafe partial class TlsRelayPump
{
    /// <summary>Moves what can be moved to the client.</summary>
    private void Download()
    {
        if (CannotFlow || _download.IsOver || !FlushDownload())
        {
            return;
        }

        for (var left = TurnBytes; _upstream.IsReadable;)
        {
            if (left <= 0)
            {
                Queue();
                return;
            }

            var room = TlsBuffers.InputBytes;
            if (_download.Throttle is { } throttle && (room = throttle.Allow(room)) == 0)
            {
                return;
            }

            var isEnding = _upstream is { PeerHasEnded: true, IsBroken: false };
            var received = _upstream.Receive(loop.Buffer, room);
            if (received > 0)
            {
                left -= received;
                _download.Throttle?.Take(received);
                _session.Touch();
                if (!Encrypt(loop.Buffer, received))
                {
                    return;
                }

                if (isEnding && received < room && !_upstream.HasUrgent)
                {
                    BeginEndOfDownload();
                    return;
                }
            }
            else if (received == 0)
            {
                BeginEndOfDownload();
                return;
            }
            else if (received != -Native.EAGAIN)
            {
                ReceiveFailed(isUpload: false);
                return;
            }
        }
    }

    /// <summary>Encrypts and sends. False = the direction cannot go on now.</summary>
    private bool Encrypt(byte* bytes, int count)
    {
        for (var done = 0; done < count;)
        {
            if (_tls.Write(bytes + done, count - done, out var written) is TlsStatus.Failed or TlsStatus.Closed or TlsStatus.NeedInput)
            {
                // No handshake is ever under way here, and nothing is written behind close_notify: only memory can be short.
                _session.TryEnd(SessionEndReason.InternalError);
                EndWithReset();
                return false;
            }

            done += written;
            if (!SendToClient(written))
            {
                return false;
            }
        }

        return _download.Held.Count == 0;
    }

    /// <summary>Sends what OpenSSL has written. False = the client is gone.</summary>
    private bool SendToClient(int payload, bool isLast = false)
    {
        if (_client.SendTls(ref _download.Held, isLast) < 0)
        {
            SendFailed(isUpload: false);
            return false;
        }

        if (_download.Held.Count == 0)
        {
            _session.BytesOut += payload;
        }
        else
        {
            _heldPayload += payload;
            Holding(ref _download);
        }

        return true;
    }

    /// <summary>OpenSSL answers some of what it reads: key updates, alerts. Behind our end there is nothing to say.</summary>
    private void SendAnswers()
    {
        if (_tls.Buffers.OutputCount > 0 && !_download.IsOver)
        {
            SendToClient(payload: 0);
        }
    }

    /// <summary>Sends what is held for the client, and the end behind it. True = all of it is gone, and the direction goes on.</summary>
    private bool FlushDownload()
    {
        if (_download.Held.Count == 0)
        {
            return !_download.IsEnding;
        }

        if (!_client.IsWritable)
        {
            return false;
        }

        _session.Touch();
        if (_download.Held.SendTo(_client) < 0)
        {
            SendFailed(isUpload: false);
            return false;
        }

        if (_download.Held.Count > 0)
        {
            return false;
        }

        _session.BytesOut += _heldPayload;
        _heldPayload = 0;
        Release(ref _download);
        if (_download.IsEnding)
        {
            EndDownload();
            return false;
        }

        return true;
    }

    /// <summary>The destination's FIN is passed on as close_notify and FIN, after everything that came before it.</summary>
    private void BeginEndOfDownload()
    {
        if (_download.IsFromDead)
        {
            ReceiveFailed(isUpload: false);
            return;
        }

        _download.IsEnding = true;
        _tls.Shutdown();
        if (SendToClient(payload: 0, isLast: true) && _download.Held.Count == 0)
        {
            EndDownload();
        }
    }

    private void EndDownload()
    {
        if (_upload.IsOver)
        {
            End();
        }
        else if (_client.ShutdownSend() < 0)
        {
            SendFailed(isUpload: false);
        }
        else
        {
            _download.IsOver = true;
            _session.HalfClosed();
        }
    }
}
