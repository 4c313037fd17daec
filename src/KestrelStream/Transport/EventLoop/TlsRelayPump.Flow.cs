using System.Buffers;
using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Transport.EventLoop;

/// <summary>How bytes and ends move, each way.</summary>
internal sealed unsafe partial class TlsRelayPump
{
    /// <summary>It has ended, or one of its connections was closed in this turn and the end is on its way.</summary>
    private bool CannotFlow => _isOver || _isLingering || _client.IsClosed || _upstream.IsClosed;

    /// <summary>Moves what can be moved from the client.</summary>
    private void Upload()
    {
        if (CannotFlow || _upload.IsOver || !FlushUpload() || _download.Held.Count > MostHeldAnswers)
        {
            return;
        }

        if (_tls.HasUnread && !DecryptUnread())
        {
            return;
        }

        for (var left = TurnBytes; _client.IsReadable;)
        {
            if (left <= 0)
            {
                Queue();
                return;
            }

            var isEnding = _client is { PeerHasEnded: true, IsBroken: false };
            var received = _client.Receive(loop.Buffer, TlsBuffers.InputBytes);
            if (received > 0)
            {
                left -= received;
                _session.Touch();
                if (!Decrypt(loop.Buffer, received))
                {
                    return;
                }

                if (isEnding && received < TlsBuffers.InputBytes && !_client.HasUrgent)
                {
                    ReceivedCut();
                    return;
                }
            }
            else if (received == 0)
            {
                ReceivedCut();
                return;
            }
            else if (received != -Native.EAGAIN)
            {
                ReceiveFailed(isUpload: true);
                return;
            }
        }
    }

    /// <summary>What came with the end of the handshake. False = the direction cannot go on now.</summary>
    private bool DecryptUnread()
    {
        var unread = _tls.TakeUnread(out var count);
        try
        {
            fixed (byte* bytes = unread)
            {
                return Decrypt(bytes, count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(unread);
        }
    }

    /// <summary>Decrypts and sends. False = the direction cannot go on now.</summary>
    private bool Decrypt(byte* bytes, int count)
    {
        var tls = _tls;
        var buffers = tls.Buffers;
        buffers.SetInput(bytes, count);
        TlsStatus status;
        do
        {
            status = tls.Read(buffers.Plain, TlsBuffers.PlainBytes, out var decrypted);
            SendAnswers();
            if (decrypted > 0 && !_isOver && !_upload.IsOver)
            {
                ForwardPlain(buffers.Plain, decrypted);
            }
        }
        while (status == TlsStatus.NeedRoom && !_isOver);

        buffers.ClearInput();
        if (_isOver)
        {
            return false;
        }

        switch (status)
        {
            case TlsStatus.Closed:
                _upload.IsEnding = true;
                if (!_upload.IsOver && _upload.Held.Count == 0)
                {
                    EndUpload();
                }

                return false;

            case TlsStatus.Failed:
                Refuse(tls.Error);
                return false;

            default:
                return !_upload.IsOver && _upload.Held.Count == 0;
        }
    }

    private void ForwardPlain(byte* bytes, int count)
    {
        var sent = _upload.Held.Count > 0 ? 0 : _upstream.Send(bytes, count);
        if (sent < 0)
        {
            SendFailed(isUpload: true);
            return;
        }

        _session.BytesIn += sent;
        if (sent < count)
        {
            _upload.Held.Add(new ReadOnlySpan<byte>(bytes + sent, count - sent));
            Holding(ref _upload);
        }
    }

    /// <summary>Sends what is held for the destination, and the end behind it. True = all of it is gone, and the direction goes on.</summary>
    private bool FlushUpload()
    {
        if (_upload.Held.Count == 0)
        {
            return true;
        }

        if (!_upstream.IsWritable)
        {
            return false;
        }

        _session.Touch();
        var sent = _upload.Held.SendTo(_upstream);
        if (sent < 0)
        {
            SendFailed(isUpload: true);
            return false;
        }

        _session.BytesIn += sent;
        if (_upload.Held.Count > 0)
        {
            return false;
        }

        Release(ref _upload);
        if (_upload.IsEnding)
        {
            EndUpload();
            return false;
        }

        return true;
    }

    /// <summary>The client's close_notify is passed on as FIN, after everything that came before it.</summary>
    private void EndUpload()
    {
        if (_upload.IsFromDead)
        {
            ReceiveFailed(isUpload: true);
        }
        else if (_download.IsOver)
        {
            // Closing sends the FIN.
            End();
        }
        else if (_upstream.ShutdownSend() < 0)
        {
            SendFailed(isUpload: true);
        }
        else
        {
            _upload.IsOver = true;
            _session.HalfClosed();
        }
    }

    /// <summary>FIN without close_notify: a cut, which anyone on the way could have made (RFC 8446 §6.1). Once the destination has had its say it harms nobody.</summary>
    private void ReceivedCut()
    {
        if (_download.IsOver && !_upload.IsFromDead)
        {
            End();
        }
        else
        {
            ReceiveFailed(isUpload: true);
        }
    }

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

            var isEnding = _upstream is { PeerHasEnded: true, IsBroken: false };
            var received = _upstream.Receive(loop.Buffer, TlsBuffers.InputBytes);
            if (received > 0)
            {
                left -= received;
                _session.Touch();
                if (!Encrypt(loop.Buffer, received))
                {
                    return;
                }

                if (isEnding && received < TlsBuffers.InputBytes && !_upstream.HasUrgent)
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
