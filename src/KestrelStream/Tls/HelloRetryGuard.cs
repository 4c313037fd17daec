using KestrelStream.Preread;

namespace KestrelStream.Tls;

/// <summary>
/// Watches the client's side of a handshake for a second ClientHello (after HelloRetryRequest): it must name the same server as the first
/// (RFC 8446 §4.1.2), because that name has chosen certificate and policy. OpenSSL 3.0 accepts a changed one. One per handshake; not thread-safe.
/// </summary>
/// <remarks>
/// What the server says first decides whether there is anything to watch: behind a ServerHello that is no HelloRetryRequest a client's records may be encrypted, as
/// those of a resumed session of TLS 1.2 are, and one in 256 of them would look like a hello. Behind a HelloRetryRequest only the first handshake record matters. Records of
/// other types may come before it and prove nothing: change_cipher_spec is usual, OpenSSL lets warning alerts and early data pass too. They are passed over without being kept.
/// </remarks>
internal sealed class HelloRetryGuard(string? serverName, int firstHelloBytes, int maxBytes)
{
    private const byte Handshake = 22;
    private const byte ClientHello = 1;
    private const byte ServerHello = 2;
    private const int RecordHeader = 5;

    /// <summary>In a ServerHello, behind the headers of record and message and the version.</summary>
    private const int RandomAt = RecordHeader + 4 + 2;

    private int _firstHelloLeft = firstHelloBytes;
    private byte[] _seen = [];
    private bool _stopped;
    private bool _isRetry;

    /// <summary>What a HelloRetryRequest has for its random: RFC 8446 §4.1.3.</summary>
    private static ReadOnlySpan<byte> RetryRandom =>
    [
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
        0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
    ];

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

        // At most one record, or a hello up to the parser's cap; few handshakes need a retry, so a plain copy will do. A client that does not wait for the
        // answer to its hello has sent no more than fits where the hello was received.
        _seen = [.. _seen, .. received];
        return _isRetry ? Decide() : _seen.Length <= maxBytes || Watched(isViolated: true);
    }

    /// <summary>Shows it what the TLS library has written. The first flight comes in one piece.</summary>
    public void InspectAnswer(ReadOnlySpan<byte> sent)
    {
        if (_stopped || _isRetry || sent.Length < RandomAt + RetryRandom.Length)
        {
            return;
        }

        _isRetry = sent[0] == Handshake && sent[RecordHeader] == ServerHello && sent.Slice(RandomAt, RetryRandom.Length).SequenceEqual(RetryRandom);
        _ = _isRetry ? Decide() : Watched(isViolated: false);
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
