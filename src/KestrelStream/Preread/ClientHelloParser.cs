using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using KestrelStream.Tls;

namespace KestrelStream.Preread;

/// <summary>
/// Finds the ClientHello at the start of a connection, across segments and records, and says what it asks for. The only one: routing,
/// termination and upgrades (STARTTLS) all go by its verdict. One per connection, owned by whoever reads it; not thread-safe; a struct
/// to be kept in place, not copied.
/// </summary>
/// <remarks>
/// Each byte is looked at once as framing while it arrives and once as content when the message is whole, so a drip costs no more than
/// one segment. The verdict is a function of the bytes alone: it falls on the same byte however they are cut, and stays. The framing of
/// the message into records makes no difference to it either, as long as the records fit in <c>maxWireBytes</c>.
/// <code>
/// record header ──► message header (4 bytes, maybe over several records) ──► rest of record ──► all there? ── body ──► Hello | Malformed
///      ▲  │ NotTls | Malformed           │ Malformed | TooLarge                                     │ no
///      └──┼─────────────────────────────┼─────────────────────────────────────────────────────────┘
/// </code>
/// </remarks>
internal struct ClientHelloParser : IDisposable
{
    private const int RecordHeaderLength = 5;
    private const int MessageHeaderLength = 4;

    /// <summary>RFC 8446 §5.1.</summary>
    private const int MaxFragmentLength = 1 << 14;

    private const byte HandshakeRecord = 22;
    private const byte ClientHelloMessage = 1;
    private const byte RecordMajorVersion = 3;

    private readonly int _maxWireBytes;
    private PrereadStatus _status;

    // The record being read: where its header starts; where it ends, 0 while the header is not whole.
    private int _recordStart;
    private int _recordEnd;

    // The message: its bytes in the records before this one; its length with its header, 0 while that is not whole.
    private int _messageRead;
    private int _messageLength;
    private int _messageHeaderRead;
    private uint _messageHeader;

    // What was found. The name is the one thing made anew; the ALPN list stays where it is: in what was received,
    // or in the scratch that a message of several records is put together in.
    private string? _serverName;
    private byte[]? _scratch;
    private int _alpnStart;
    private int _alpnLength;
    private ushort _highestVersion;
    private EncryptedHello _ech;

    /// <param name="maxWireBytes">Most bytes up to the end of the hello, record headers included (<see cref="Configuration.ListenerConfig.PrereadBufferBytes"/>).</param>
    public ClientHelloParser(int maxWireBytes) => _maxWireBytes = maxWireBytes;

    /// <summary>The last answer of <see cref="Advance"/>.</summary>
    public readonly PrereadStatus Status => _status;

    /// <summary>Bytes from the first record header to the end of the hello's last record; 0 before <see cref="PrereadStatus.Hello"/>.</summary>
    public readonly int WireLength => _status == PrereadStatus.Hello ? _recordEnd : 0;

    /// <summary>Why the status is <see cref="PrereadStatus.Malformed"/> or <see cref="PrereadStatus.TooLarge"/>.</summary>
    public ClientHelloError Error { get; private set; }

    /// <summary>The fatal alert that <see cref="Error"/> calls for; None without an error.</summary>
    public readonly TlsAlert Alert => Error.ToAlert();

    /// <summary>
    /// Looks at what has arrived since the last call. <see cref="PrereadStatus.NeedMore"/> is never the answer to <c>maxWireBytes</c> or
    /// more; any other answer is final.
    /// </summary>
    /// <param name="received">All bytes of the connection so far: those of the last call, and any number behind them.</param>
    public PrereadStatus Advance(ReadOnlySpan<byte> received)
    {
        while (_status == PrereadStatus.NeedMore)
        {
            if (_recordEnd == 0 && !TryReadRecordHeader(received))
            {
                break;
            }

            if (_messageLength == 0)
            {
                ReadMessageHeader(received);
            }

            if (_status != PrereadStatus.NeedMore || received.Length < _recordEnd)
            {
                break;
            }

            _messageRead += _recordEnd - _recordStart - RecordHeaderLength;
            if (_messageRead == _messageLength)
            {
                _status = ReadMessage(received);
                break;
            }

            _recordStart = _recordEnd;
            _recordEnd = 0;
        }

        return _status;
    }

    /// <summary>The hello, after <see cref="PrereadStatus.Hello"/>. Valid while <paramref name="received"/> is and until <see cref="Dispose"/>.</summary>
    public readonly ClientHello GetHello(ReadOnlySpan<byte> received)
    {
        if (_status != PrereadStatus.Hello)
        {
            throw new InvalidOperationException("There is no ClientHello.");
        }

        return new ClientHello
        {
            ServerName = _serverName,
            AlpnList = (_scratch ?? received).Slice(_alpnStart, _alpnLength),
            HighestVersion = _highestVersion,
            Ech = _ech,
        };
    }

    /// <summary>Gives the scratch back, if there is one. May be called again.</summary>
    public void Dispose()
    {
        if (_scratch is { } scratch)
        {
            _scratch = null;
            _alpnLength = _alpnStart = 0;
            ArrayPool<byte>.Shared.Return(scratch);
        }
    }

    /// <summary>Judges every byte of the header as it arrives. True when it is whole and good.</summary>
    private bool TryReadRecordHeader(ReadOnlySpan<byte> received)
    {
        var header = received[_recordStart..];
        if (header.IsEmpty)
        {
            return false;
        }

        var isFirst = _recordStart == 0;
        if (header[0] != HandshakeRecord)
        {
            return isFirst ? RefuseFirstByte(received) : Refuse(ClientHelloError.RecordType);
        }

        if (header.Length >= 2 && header[1] != RecordMajorVersion)
        {
            // 0xfe is DTLS, anything else a protocol that happens to begin with 0x16. The minor version is to be ignored (RFC 8446 §5.1).
            return isFirst ? Decide(PrereadStatus.NotTls) : Refuse(ClientHelloError.RecordVersion);
        }

        if (header.Length < RecordHeaderLength)
        {
            return false;
        }

        int length = BinaryPrimitives.ReadUInt16BigEndian(header[3..]);
        if (length is 0 or > MaxFragmentLength)
        {
            return Refuse(length == 0 ? ClientHelloError.RecordEmpty : ClientHelloError.RecordOverflow);
        }

        _recordEnd = _recordStart + RecordHeaderLength + length;
        return _messageLength == 0 || TryFitMessage();
    }

    /// <summary>
    /// The first byte is not a handshake record's: no TLS, unless it starts a hello in SSLv2 form: two bytes of length with the top bit
    /// set, the type, the version (RFC 5246 §E.2). Other binary protocols with that bit are told apart by byte 2, 3 or 4.
    /// </summary>
    private bool RefuseFirstByte(ReadOnlySpan<byte> received)
    {
        var mayBeSsl2 = (received[0] & 0x80) != 0
            && (received.Length < 3 || received[2] == ClientHelloMessage)
            && (received.Length < 4 || received[3] is 0 or RecordMajorVersion)
            && (received.Length < 5 || (received[3] == 0 ? received[4] == 2 : received[4] < 0x10));
        if (!mayBeSsl2)
        {
            return Decide(PrereadStatus.NotTls);
        }

        return received.Length >= 5 && Refuse(ClientHelloError.Ssl2Form);
    }

    /// <summary>Type and length, byte by byte: each may come in a record of its own.</summary>
    private void ReadMessageHeader(ReadOnlySpan<byte> received)
    {
        var end = Math.Min(received.Length, _recordEnd);
        // Bytes of the header that the records before this one held are read: the rest starts this record.
        var next = _recordStart + RecordHeaderLength + (_messageHeaderRead - _messageRead);
        while (next < end && _messageHeaderRead < MessageHeaderLength)
        {
            _messageHeader = (_messageHeader << 8) | received[next++];
            _messageHeaderRead++;
            if (_messageHeaderRead == 1 && _messageHeader != ClientHelloMessage)
            {
                Refuse(ClientHelloError.MessageType);
                return;
            }
        }

        if (_messageHeaderRead < MessageHeaderLength)
        {
            return;
        }

        var bodyLength = (int)(_messageHeader & 0xffffff);
        if (bodyLength < ClientHelloBody.MinLength)
        {
            Refuse(ClientHelloError.MessageTooShort);
            return;
        }

        _messageLength = MessageHeaderLength + bodyLength;
        TryFitMessage();
    }

    /// <summary>Asked when the length of the message gets known, and at each record header after that: can message and record end together, within the limit?</summary>
    private bool TryFitMessage()
    {
        var rest = _messageLength - _messageRead - (_recordEnd - _recordStart - RecordHeaderLength);
        if (rest < 0)
        {
            return Refuse(ClientHelloError.BytesAfterMessage);
        }

        // What is to come takes at least as many records as full ones would be.
        var leastRecords = (rest + MaxFragmentLength - 1) / MaxFragmentLength;
        return _recordEnd + rest + (leastRecords * RecordHeaderLength) <= _maxWireBytes || Refuse(ClientHelloError.MessageTooLarge);
    }

    private PrereadStatus ReadMessage(ReadOnlySpan<byte> received)
    {
        var isOneRecord = _recordStart == 0;
        var message = isOneRecord ? received.Slice(RecordHeaderLength, _messageLength) : Assemble(received);
        Error = ClientHelloBody.Parse(message[MessageHeaderLength..], out var body);
        if (Error != ClientHelloError.None)
        {
            Dispose();
            return PrereadStatus.Malformed;
        }

        _serverName = body.ServerName.IsEmpty ? null : ServerNameSyntax.ToLowerCase(body.ServerName);
        _highestVersion = body.HighestVersion;
        _ech = body.Ech;
        if (message.Overlaps(body.AlpnList, out var alpnOffset))
        {
            _alpnStart = alpnOffset + (isOneRecord ? RecordHeaderLength : 0);
            _alpnLength = body.AlpnList.Length;
        }
        else
        {
            Dispose();
        }

        return PrereadStatus.Hello;
    }

    /// <summary>The message without its record headers. Rented only now that all of it is here: a client that announces much and sends little costs nothing.</summary>
    private ReadOnlySpan<byte> Assemble(ReadOnlySpan<byte> received)
    {
        _scratch = ArrayPool<byte>.Shared.Rent(_messageLength);
        var message = _scratch.AsSpan(0, _messageLength);
        var rest = message;
        var records = received[.._recordEnd];
        while (!records.IsEmpty)
        {
            var fragment = records.Slice(RecordHeaderLength, BinaryPrimitives.ReadUInt16BigEndian(records[3..]));
            fragment.CopyTo(rest);
            rest = rest[fragment.Length..];
            records = records[(RecordHeaderLength + fragment.Length)..];
        }

        Debug.Assert(rest.IsEmpty, "The fragments are the message.");
        return message;
    }

    private bool Refuse(ClientHelloError error)
    {
        Error = error;
        return Decide(error == ClientHelloError.MessageTooLarge ? PrereadStatus.TooLarge : PrereadStatus.Malformed);
    }

    /// <summary>False, so that a check can end with it.</summary>
    private bool Decide(PrereadStatus status)
    {
        _status = status;
        return false;
    }
}
