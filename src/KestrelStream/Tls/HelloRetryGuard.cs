using KestrelStream.Preread;

namespace KestrelStream.Tls;

/// <summary>
/// Watches the client's side of a handshake for a second ClientHello (after HelloRetryRequest): it must name the same server as the first
/// (RFC 8446 §4.1.2), because that name has chosen certificate and policy. OpenSSL 3.0 accepts a changed one. One per handshake; not thread-safe.
/// </summary>
/// <remarks>
/// Only the first handshake record after the hello matters: it either begins with another ClientHello (TLS 1.3, possibly behind a
/// change_cipher_spec record) or something else (TLS 1.2, or encrypted), and then the watch ends.
/// </remarks>
internal sealed class HelloRetryGuard(string? serverName, int firstHelloBytes, int maxBytes)
{
    private const byte ChangeCipherSpec = 20;
    private const byte Handshake = 22;
    private const int RecordHeader = 5;

    private int _firstHelloLeft = firstHelloBytes;
    private byte[] _seen = [];
    private bool _stopped;

    /// <summary>The second hello is not what the first one promised: the handshake must not go on.</summary>
    public bool IsViolated { get; private set; }

    public void Stop() => _stopped = true;

    /// <summary>Shows it bytes before the TLS library gets them. False = do not pass them on.</summary>
    public bool Inspect(ReadOnlySpan<byte> received)
    {
        if (_stopped)
        {
            return !IsViolated;
        }

        var first = Math.Min(_firstHelloLeft, received.Length);
        _firstHelloLeft -= first;
        received = received[first..];
        if (received.IsEmpty)
        {
            return true;
        }

        // Rare (one handshake in many needs a retry) and capped, so a plain copy will do.
        _seen = [.. _seen, .. received];
        return Decide();
    }

    private bool Decide()
    {
        var seen = _seen.AsSpan();
        while (seen.Length >= RecordHeader + 1)
        {
            var length = RecordHeader + (seen[3] << 8 | seen[4]);
            if (seen[0] == ChangeCipherSpec)
            {
                if (seen.Length < length)
                {
                    return true;
                }

                seen = seen[length..];
                continue;
            }

            if (seen[0] != Handshake || seen[RecordHeader] != 1)
            {
                return Watched(isViolated: false);
            }

            var parser = new ClientHelloParser(maxBytes);
            var status = parser.Advance(seen);
            var isSame = status == PrereadStatus.Hello && parser.GetHello(seen).ServerName == serverName;
            parser.Dispose();
            return status == PrereadStatus.NeedMore || Watched(isViolated: !isSame);
        }

        return true;
    }

    private bool Watched(bool isViolated)
    {
        _stopped = true;
        _seen = [];
        IsViolated = isViolated;
        return !isViolated;
    }
}
