using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Transport.EventLoop;

/// <content>What goes to either side: encrypted, if it is TLS that it takes.</content>
internal sealed unsafe partial class TlsRelayPump
{
    /// <summary>The PROXY header (before a handshake it has gone already) and what was read to find the route go first.</summary>
    protected override void ForwardFirst()
    {
        if (!Session.UpstreamHeader.IsEmpty)
        {
            // None of the client's bytes: not counted as such.
            var header = Session.UpstreamHeader.Span;
            Session.UpstreamHeader = default;
            fixed (byte* bytes = header)
            {
                Send(ref Upload, bytes, header.Length, payload: 0);
            }
        }

        if (Session.Preread is { Length: > 0 } preread && Client.Tls is null && !IsOver && !Upload.IsOver)
        {
            fixed (byte* bytes = preread.Written.Span)
            {
                Forward(ref Upload, bytes, preread.Length);
            }
        }

        Session.ReleasePreread();
    }

    /// <summary>False = the direction cannot go on now.</summary>
    private bool Forward(ref RelayDirection direction, byte* bytes, int count)
    {
        direction.Throttle?.Take(count);
        if (SendingOf(ref direction).Unwritten.Count > 0)
        {
            SendingOf(ref direction).Unwritten.Add(new ReadOnlySpan<byte>(bytes, count));
            return false;
        }

        return direction.To.Tls is { } tls ? Encrypt(ref direction, tls, bytes, count) : Send(ref direction, bytes, count, count);
    }

    /// <summary>Sends plain bytes; what the kernel does not take is held.</summary>
    private bool Send(ref RelayDirection direction, byte* bytes, int count, int payload)
    {
        var sent = direction.Held.Count > 0 ? 0 : direction.To.Send(bytes, count);
        if (sent < 0)
        {
            SendFailed(ref direction);
            return false;
        }

        if (sent == count)
        {
            Count(direction.IsUpload, payload);
            return true;
        }

        direction.Held.Add(new ReadOnlySpan<byte>(bytes + sent, count - sent));
        Count(direction.IsUpload, payload == 0 ? 0 : sent);
        SendingOf(ref direction).HeldPayload += payload == 0 ? 0 : count - sent;
        Holding(ref direction);
        return false;
    }

    /// <summary>Encrypts and sends.</summary>
    private bool Encrypt(ref RelayDirection direction, OpenSslSession tls, byte* bytes, int count)
    {
        for (var done = 0; done < count;)
        {
            var status = tls.Write(bytes + done, count - done, out var written);
            if (status is TlsStatus.Failed or TlsStatus.Closed)
            {
                // Nothing is written behind close_notify or a failure: only memory can be short.
                Session.TryEnd(SessionEndReason.InternalError);
                EndWithReset();
                return false;
            }

            done += written;
            if (!SendTls(ref direction, written))
            {
                return false;
            }

            if (status == TlsStatus.NeedInput)
            {
                // A message behind its handshake (a ticket, a key update) is only half here: nothing can be written before the rest.
                SendingOf(ref direction).Unwritten.Add(new ReadOnlySpan<byte>(bytes + done, count - done));
                Holding(ref direction);
                return false;
            }
        }

        return direction.Held.Count == 0;
    }

    /// <summary>Sends what OpenSSL has written for the receiver. False = the receiver is gone.</summary>
    private bool SendTls(ref RelayDirection direction, int payload, bool isLast = false)
    {
        if (direction.To.SendTls(ref direction.Held, isLast) < 0)
        {
            SendFailed(ref direction);
            return false;
        }

        if (direction.Held.Count == 0)
        {
            Count(direction.IsUpload, payload);
        }
        else
        {
            SendingOf(ref direction).HeldPayload += payload;
            Holding(ref direction);
        }

        return true;
    }

    /// <summary>OpenSSL answers some of what it reads: key updates, alerts. Behind our end there is nothing to say.</summary>
    private void SendAnswers(ref RelayDirection direction, OpenSslSession tls)
    {
        ref var back = ref Other(ref direction);
        if (tls.Buffers.OutputCount > 0 && !back.IsOver)
        {
            SendTls(ref back, payload: 0);
        }
    }

    /// <summary>Sends what is held, and the end behind it. True = all of it is gone, and the direction goes on.</summary>
    private bool Flush(ref RelayDirection direction)
    {
        if (direction.Held.Count == 0 && SendingOf(ref direction).Unwritten.Count == 0)
        {
            return !SendingOf(ref direction).IsEnding;
        }

        if (!direction.To.IsWritable)
        {
            return false;
        }

        Session.Touch();
        return SendHeld(ref direction) && WriteUnwritten(ref direction) && Flushed(ref direction);
    }

    private bool SendHeld(ref RelayDirection direction)
    {
        if (direction.Held.Count > 0)
        {
            // A PROXY header that is among it stands first.
            var ahead = direction.Held.Count - SendingOf(ref direction).HeldPayload;
            var sent = direction.Held.SendTo(direction.To);
            if (sent < 0)
            {
                SendFailed(ref direction);
                return false;
            }

            if (direction.To.Tls is null && sent > ahead)
            {
                // Of ciphertext nobody knows how much payload it is before all of it is sent.
                Count(direction.IsUpload, sent - ahead);
                SendingOf(ref direction).HeldPayload -= sent - ahead;
            }

            if (direction.Held.Count > 0)
            {
                return false;
            }

            Count(direction.IsUpload, SendingOf(ref direction).HeldPayload);
            SendingOf(ref direction).HeldPayload = 0;
        }

        return true;
    }

    private bool WriteUnwritten(ref RelayDirection direction)
    {
        if (SendingOf(ref direction).Unwritten.Count == 0 || direction.To.Tls is not { } tls)
        {
            return true;
        }

        var bytes = SendingOf(ref direction).Unwritten.TakeAll();
        fixed (byte* start = bytes)
        {
            return Encrypt(ref direction, tls, start, bytes.Length);
        }
    }

    private bool Flushed(ref RelayDirection direction)
    {
        Release(ref direction);
        if (!SendingOf(ref direction).IsEnding)
        {
            return true;
        }

        if (SendingOf(ref direction).HasToldEnd)
        {
            EndDirection(ref direction);
        }
        else
        {
            BeginEnd(ref direction);
        }

        return false;
    }

    /// <summary>The sender has ended properly. The receiver is told, by close_notify where it speaks TLS and by FIN, after everything that came before.</summary>
    private void BeginEnd(ref RelayDirection direction)
    {
        if (direction.IsFromDead)
        {
            ReceiveFailed(direction.IsUpload);
            return;
        }

        SendingOf(ref direction).IsEnding = true;
        if (SendingOf(ref direction).Unwritten.Count > 0)
        {
            return;
        }

        SendingOf(ref direction).HasToldEnd = true;
        if (direction.To.Tls is { } tls && !Session.EndsWithoutNotify)
        {
            tls.Shutdown();
            if (!SendTls(ref direction, payload: 0, isLast: true))
            {
                return;
            }
        }

        if (direction.Held.Count == 0)
        {
            EndDirection(ref direction);
        }
    }

    private void EndDirection(ref RelayDirection direction)
    {
        if (Other(ref direction).IsOver)
        {
            // Closing sends the FIN.
            End();
        }
        else if (direction.To.ShutdownSend() < 0)
        {
            SendFailed(ref direction);
        }
        else
        {
            direction.IsOver = true;
            Session.HalfClosed();
        }
    }
}
