using System.Buffers;
using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Transport.EventLoop;

/// <content>What comes from either side: decrypted, if it is TLS that comes.</content>
internal sealed unsafe partial class TlsRelayPump
{
    protected override void Flow(ref RelayDirection direction)
    {
        if (CannotFlow || direction.IsOver || !Flush(ref direction))
        {
            return;
        }

        var from = direction.From;
        if (from.Tls is { } tls && (Other(ref direction).Held.Count > MostHeldAnswers || (tls.HasUnread && !DecryptUnread(ref direction, tls))))
        {
            return;
        }

        for (var left = TurnBytes; from.IsReadable;)
        {
            if (left <= 0)
            {
                Queue();
                return;
            }

            var room = TlsBuffers.InputBytes;
            if (direction.Throttle is { } throttle && (room = throttle.Allow(room)) == 0)
            {
                return;
            }

            var isEnding = from is { PeerHasEnded: true, IsBroken: false };
            var received = from.Receive(Loop.Buffer, room);
            if (received > 0)
            {
                left -= received;
                Moved();
                if (!Take(ref direction, Loop.Buffer, received))
                {
                    return;
                }

                // The FIN had arrived before this short read: there is nothing behind it.
                if (isEnding && received < room && !from.HasUrgent)
                {
                    ReceivedEnd(ref direction);
                    return;
                }
            }
            else if (received == 0)
            {
                ReceivedEnd(ref direction);
                return;
            }
            else if (received != -Native.EAGAIN)
            {
                ReceiveFailed(direction.IsUpload);
                return;
            }
        }
    }

    /// <summary>Passes on what was received. False = the direction cannot go on now.</summary>
    private bool Take(ref RelayDirection direction, byte* bytes, int count)
        => direction.From.Tls is { } tls ? Decrypt(ref direction, tls, bytes, count) : Forward(ref direction, bytes, count);

    /// <summary>What came with the end of the handshake. False = the direction cannot go on now.</summary>
    private bool DecryptUnread(ref RelayDirection direction, OpenSslSession tls)
    {
        var unread = tls.TakeUnread(out var count);
        try
        {
            fixed (byte* bytes = unread)
            {
                return Decrypt(ref direction, tls, bytes, count);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(unread);
        }
    }

    private bool Decrypt(ref RelayDirection direction, OpenSslSession tls, byte* bytes, int count)
    {
        var buffers = tls.Buffers;
        TlsStatus status;
        do
        {
            buffers.SetInput(bytes, count);
            status = tls.Read(buffers.Plain, TlsBuffers.PlainBytes, out var decrypted);

            // Nobody else may see it: encrypting for the other side goes through the same buffers, and OpenSSL reads there when it wants to.
            var rest = buffers.Unread.Length;
            bytes += count - rest;
            count = rest;
            buffers.ClearInput();
            SendAnswers(ref direction, tls);
            if (decrypted > 0 && !IsOver && !direction.IsOver)
            {
                Forward(ref direction, buffers.Plain, decrypted);
            }
        }
        while (status == TlsStatus.NeedRoom && !IsOver);

        if (IsOver)
        {
            return false;
        }

        switch (status)
        {
            case TlsStatus.Closed:
                if (!direction.IsOver)
                {
                    BeginEnd(ref direction);
                }

                return false;

            case TlsStatus.Failed:
                Refuse(ref direction, tls.Error);
                return false;

            default:
                return !direction.IsOver && direction.Held.Count == 0 && SendingOf(ref direction).Unwritten.Count == 0;
        }
    }

    /// <summary>FIN. Under TLS without close_notify it is a cut, which anyone on the way could have made (RFC 8446 §6.1).</summary>
    private void ReceivedEnd(ref RelayDirection direction)
    {
        if (direction.From.Tls is null || Session.EndsWithoutNotify)
        {
            BeginEnd(ref direction);
        }
        else if (direction.IsUpload && Download.IsOver && !direction.IsFromDead)
        {
            // The destination has had its say: it harms nobody. The other way round it would, for an answer is what a client waits for.
            End();
        }
        else
        {
            ReceiveFailed(direction.IsUpload);
        }
    }
}
