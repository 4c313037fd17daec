using KestrelStream.Preread;

namespace KestrelStream.Tls;

/// <summary>
/// Watches the client's side of a handshake for a second ClientHello (after HelloRetryRequest): it must name the same server as the first
/// (RFC 8446 §4.1.2), because that name has chosen certificate and policy. OpenSSL 3.0 accepts a changed one. One per handshake; not thread-safe.
/// </summary>
/// <remarks>
/// Only the first handshake record after the hello matters: it either begins with another ClientHello (TLS 1.3) or with something else (TLS 1.2), and
/// then the watch ends. Records of other types may come before it and prove nothing: change_cipher_spec is usual, OpenSSL lets warning alerts and
/// early data pass too. They are passed over without being kept.
/// </remarks>
internal sealed class HelloRetryGuard(string? serverName, int firstHelloBytes, int maxBytes)
{
    private const byte Handshake = 22;
    private const byte ClientHello = 1;
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

        // At most one record, or a hello up to the parser's cap; few handshakes need a retry, so a plain copy will do.
        _seen = [.. _seen, .. received];
        return Decide();
    }

    private bool Decide()
    {
        var seen = _seen.AsSpan();
        while (seen.Length >= RecordHeader && seen[0] != Handshake)
        {
            var length = RecordHeader + (seen[3] << 8 | seen[4]);
            if (seen.Length < length)
            {
                break;
            }

            seen = seen[length..];
        }

        if (seen.Length != _seen.Length)
        {
            _seen = seen.ToArray();
            seen = _seen;
        }

        if (seen.Length < RecordHeader || seen[0] != Handshake)
        {
            return true;
        }

        if ((seen[3] | seen[4]) == 0)
        {
            // An empty handshake record is nothing that a client may send.
            return Watched(isViolated: true);
        }

        if (seen.Length == RecordHeader)
        {
            return true;
        }

        if (seen[RecordHeader] != ClientHello)
        {
            return Watched(isViolated: false);
        }

        var parser = new ClientHelloParser(maxBytes);
        var status = parser.Advance(seen);
        var isSame = status == PrereadStatus.Hello && parser.GetHello(seen).ServerName == serverName;
        parser.Dispose();
        return status == PrereadStatus.NeedMore || Watched(isViolated: !isSame);
    }

    private bool Watched(bool isViolated)
    {
        _stopped = true;
        _seen = [];
        IsViolated = isViolated;
        return !isViolated;
    }
}
