using System.Buffers;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Transport.EventLoop;

/// <summary>From the client: decrypted on the way.</summary>
internal sealed unsafe partial class TlsRelayPump
{
    /// <summary>The PROXY header goes before all bytes of the client, and is none of them.</summary>
    private void SendHeader()
    {
        var header = _session.UpstreamHeader.Span;
        _session.UpstreamHeader = default;
        if (!header.IsEmpty)
        {
            // Counted by whoever sends it, here or later.
            _session.BytesIn -= header.Length;
            fixed (byte* bytes = header)
            {
                ForwardPlain(bytes, header.Length);
            }
        }
    }

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

            var room = TlsBuffers.InputBytes;
            if (_upload.Throttle is { } throttle && (room = throttle.Allow(room)) == 0)
            {
                return;
            }

            var isEnding = _client is { PeerHasEnded: true, IsBroken: false };
            var received = _client.Receive(loop.Buffer, room);
            if (received > 0)
            {
                left -= received;
                _session.Touch();
                if (!Decrypt(loop.Buffer, received))
                {
                    return;
                }

                if (isEnding && received < room && !_client.HasUrgent)
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
        _upload.Throttle?.Take(count);
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
}
