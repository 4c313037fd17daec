using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Security;
using System.Text;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>
/// The TLS of one connection as a state machine: bytes in, bytes out, no I/O of its own. What it writes is left in the buffers of its loop, where it must be
/// taken before another session is called. Owned by its connection, which frees it exactly once; on the loop's thread only, but for steps of a handshake.
/// </summary>
internal unsafe class OpenSslSession
{
    private static readonly ConcurrentDictionary<ushort, string> s_cipherNames = new();

    private nint _ssl;
    private byte[]? _unread;
    private int _unreadCount;
    private bool _hasShutDown;
    private bool _hasTicket;

    private readonly bool _isServer;

    /// <param name="ssl">Owned from here on.</param>
    /// <param name="buffers">Of the loop.</param>
    /// <param name="isServer">The peer is a client.</param>
    protected OpenSslSession(nint ssl, TlsBuffers buffers, bool isServer)
    {
        _ssl = ssl;
        _isServer = isServer;

        // Tickets are for clients.
        _hasTicket = !isServer;
        Buffers = buffers;
    }

    /// <summary>Null = we are the client.</summary>
    public OpenSslContext? Context { get; private init; }

    public TlsBuffers Buffers { get; private set; }

    /// <summary>What every ClientHello must name.</summary>
    public string? ServerName { get; private init; }

    /// <summary>A ClientHello named another server.</summary>
    public bool HasOtherName { get; private set; }

    /// <summary>Keys are agreed on: what is written now is for the peer alone.</summary>
    public bool IsEstablished { get; private set; }

    /// <summary>Why the last step failed.</summary>
    public OpenSslError Error { get; private set; }

    /// <summary>Whether bytes of the peer wait that came behind its handshake.</summary>
    public bool HasUnread => _unread is not null;

    /// <summary>Null = no memory.</summary>
    public static OpenSslSession? Create(OpenSslContext context, TlsBuffers buffers, string? serverName)
    {
        OpenSslNative.ERR_clear_error();
        var ssl = context.NewSession(buffers.Scope, serverName);
        if (ssl == 0)
        {
            return null;
        }

        var bio = BioMethod.NewBio(buffers);
        if (bio == 0)
        {
            OpenSslNative.SSL_free(ssl);
            return null;
        }

        OpenSslNative.SSL_set_bio(ssl, bio, bio);
        return new OpenSslSession(ssl, buffers, isServer: true) { Context = context, ServerName = serverName };
    }

    /// <summary>Reads and writes there from now on. Between two calls of OpenSSL, when all that it has written is taken.</summary>
    public void MoveTo(TlsBuffers buffers)
    {
        Buffers = buffers;
        BioMethod.Move(OpenSslNative.SSL_get_rbio(_ssl), buffers);
    }

    public void NameDiffers() => HasOtherName = true;

    /// <summary>Goes on with the handshake, with the input that is set. What comes behind it is kept.</summary>
    public TlsStatus Handshake()
    {
        if (_ssl == 0)
        {
            return TlsStatus.Failed;
        }

        Begin();
        var result = OpenSslCallbacks.Handshake(this, _ssl);
        if (result != 1)
        {
            var status = StatusOf(result);
            if (status == TlsStatus.Failed)
            {
                Error = Explain(Error);
            }

            return status;
        }

        if (Established() is not TlsStatus.Done and var refusal)
        {
            return refusal;
        }

        IsEstablished = true;
        KeepUnread();
        if (!HasUnread && _isServer)
        {
            // The client's next segment may wait (Nagle) for an acknowledgement of its Finished, which our kernel delays by 40 ms unless something
            // is sent.
            WriteTicket();
        }

        return TlsStatus.Done;
    }

    /// <summary>What the handshake agreed on.</summary>
    public TlsFacts Facts()
    {
        byte* alpn;
        uint alpnCount;
        OpenSslNative.SSL_get0_alpn_selected(_ssl, &alpn, &alpnCount);
        var cipher = OpenSslNative.SSL_CIPHER_get_protocol_id(OpenSslNative.SSL_get_current_cipher(_ssl));
        return new TlsFacts(
            OpenSslNative.SSL_version(_ssl) == OpenSslNative.Tls13 ? "TLSv1.3" : "TLSv1.2",
            s_cipherNames.GetOrAdd(cipher, static id => ((TlsCipherSuite)id).ToString()),
            alpn is null ? null : Encoding.Latin1.GetString(alpn, (int)alpnCount),
            OpenSslNative.SSL_session_reused(_ssl) == 1)
        {
            ClientCertificate = Context is { AsksForCertificate: true } ? OpenSslTrust.CertificateOf(_ssl) : null,
        };
    }

    /// <summary>Makes what came behind the handshake the input. The array is the caller's to give back, once it is read.</summary>
    public byte[] TakeUnread(out int count)
    {
        var unread = _unread!;
        count = _unreadCount;
        _unread = null;
        return unread;
    }

    /// <summary>Decrypts the input that is set, until it is used up or the room is.</summary>
    /// <param name="plain">Room.</param>
    /// <param name="room">How much.</param>
    /// <param name="count">Decrypted, whatever the status.</param>
    public TlsStatus Read(byte* plain, int room, out int count)
    {
        count = 0;
        if (_ssl == 0)
        {
            return TlsStatus.Failed;
        }

        Begin();
        while (count < room)
        {
            var read = _isServer
                ? OpenSslNative.SSL_read(_ssl, plain + count, room - count)
                : OpenSslCallbacks.Read(this, _ssl, plain + count, room - count);
            if (read <= 0)
            {
                return StatusOf(read);
            }

            count += read;
        }

        return TlsStatus.NeedRoom;
    }

    /// <summary>Encrypts. Done = all of it.</summary>
    /// <param name="plain">What to encrypt.</param>
    /// <param name="count">How much.</param>
    /// <param name="written">How much was; the rest is to be given again.</param>
    public TlsStatus Write(byte* plain, int count, out int written)
    {
        written = 0;
        if (_ssl == 0)
        {
            return TlsStatus.Failed;
        }

        Begin();
        if (!_hasTicket)
        {
            // The client has gone on without waiting, so that its ticket can share a send with the first payload.
            WriteTicket();
        }

        while (written < count)
        {
            var result = OpenSslNative.SSL_write(_ssl, plain + written, count - written);
            if (result <= 0)
            {
                return StatusOf(result);
            }

            written += result;
        }

        return TlsStatus.Done;
    }

    /// <summary>Writes close_notify. Receiving goes on.</summary>
    public void Shutdown()
    {
        Begin();
        if (_ssl != 0 && IsEstablished && !_hasShutDown)
        {
            _hasShutDown = true;

            // 0 = sent, and the peer's has not come yet; less = the session has failed before, and there is nothing to say.
            _ = OpenSslNative.SSL_shutdown(_ssl);
            OpenSslNative.ERR_clear_error();
        }
    }

    /// <summary>
    /// Gives back what OpenSSL keeps of its record buffers, 33 KB, unless a record was cut: called whenever the session has to wait. SSL_MODE_RELEASE_BUFFERS
    /// does the same after every single record.
    /// </summary>
    public void FreeBuffers()
    {
        if (_ssl != 0)
        {
            _ = OpenSslNative.SSL_free_buffers(_ssl);
        }
    }

    public void Free()
    {
        if (_ssl != 0)
        {
            OpenSslNative.SSL_free(_ssl);
            _ssl = 0;
        }

        if (_unread is { } unread)
        {
            _unread = null;
            ArrayPool<byte>.Shared.Return(unread);
        }
    }

    protected nint Ssl => _ssl;

    /// <summary>Whether a handshake that OpenSSL takes for good is one. Done = it is.</summary>
    protected virtual TlsStatus Established()
    {
        if (Context is { AsksForCertificate: true } && !OpenSslTrust.IsSatisfied(_ssl))
        {
            Fail(new OpenSslError(OpenSslNative.ReasonPeerDidNotReturnACertificate, "the client's certificate was not verified"));
            return TlsStatus.Failed;
        }

        return TlsStatus.Done;
    }

    /// <summary>Says more of why the handshake has failed, where that is known.</summary>
    protected virtual OpenSslError Explain(OpenSslError error)
        => error.Reason == OpenSslNative.ReasonCertificateVerifyFailed && OpenSslTrust.WhyNot(_ssl) is { } why
            ? error with { Text = $"{error.Text}: {why}" }
            : error;

    protected void Fail(OpenSslError error) => Error = error;

    /// <summary>The ticket of TLS 1.3; TLS 1.2 has sent its own in the handshake.</summary>
    private void WriteTicket()
    {
        _hasTicket = true;
        if (Context is { SendsTicket: true } && OpenSslNative.SSL_new_session_ticket(_ssl) == 1)
        {
            // Not left to the next write: the keys are asked for, on behalf of this session.
            _ = OpenSslCallbacks.Handshake(this, _ssl);
        }

        OpenSslNative.ERR_clear_error();
    }

    private void Begin()
    {
        OpenSslNative.ERR_clear_error();

        // Whatever a call before has left there, by a defect, must not reach this client.
        Buffers.ClearOutput();
    }

    private void KeepUnread()
    {
        var unread = Buffers.Unread;
        if (!unread.IsEmpty)
        {
            _unread = ArrayPool<byte>.Shared.Rent(unread.Length);
            _unreadCount = unread.Length;
            unread.CopyTo(_unread);
            Buffers.ClearInput();
        }
    }

    private TlsStatus StatusOf(int result)
    {
        switch (OpenSslNative.SSL_get_error(_ssl, result))
        {
            case OpenSslNative.ErrorWantRead:
                return TlsStatus.NeedInput;

            case OpenSslNative.ErrorWantWrite:
                return TlsStatus.NeedRoom;

            case OpenSslNative.ErrorZeroReturn:
                return TlsStatus.Closed;

            default:
                Error = OpenSslError.Take();
                _hasShutDown = true;
                return TlsStatus.Failed;
        }
    }
}
