using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>
/// Every call into OpenSSL 3 that the proxy makes itself; numbers and raw pointers only. Callable only where <see cref="OpenSslLibrary.Probe"/> has
/// found the library. Which thread may use an object is said by who owns it; the error queue is the calling thread's own.
/// </summary>
/// <remarks>
/// <c>SuppressGCTransition</c> is on getters and setters alone. What shakes hands, ciphers or calls back must not have it: a garbage collection would
/// wait for it, and a call back would find the thread in the wrong mode.
/// </remarks>
internal static unsafe partial class OpenSslNative
{
    // The names of the interface that .NET's own cryptography loads: one copy in the process.
    public const string Ssl = "libssl.so.3";
    public const string Crypto = "libcrypto.so.3";

    public const int Tls12 = 0x0303;
    public const int Tls13 = 0x0304;

    public const int ErrorWantRead = 2;
    public const int ErrorWantWrite = 3;
    public const int ErrorZeroReturn = 6;

    /// <summary>Reason codes from here on are alerts that the peer has sent.</summary>
    public const int PeerAlertReasons = 1000;

    public const ulong OpNoCompression = 1 << 17;
    public const ulong OpServerPreference = 1 << 22;
    public const ulong OpPrioritizeChaCha = 1 << 21;
    public const ulong OpNoRenegotiation = 1 << 30;

    public const int ModeEnablePartialWrite = 1;
    public const int ModeAcceptMovingWriteBuffer = 2;

    public const int SessionCacheOff = 0;

    public const int ClientHelloError = 0;
    public const int ClientHelloSuccess = 1;

    public const int AlpnOk = 0;
    public const int AlpnFatal = 2;

    public const int ExtensionServerName = 0;

    public const int BioSourceSink = 0x400;
    public const int BioFlagRead = 1;
    public const int BioFlagWrite = 2;
    public const int BioFlagRetry = 8;
    public const int BioFlagsOfRetry = 15;
    public const int BioControlFlush = 11;

    private const int ControlMode = 33;
    private const int ControlSessionCacheMode = 44;
    private const int ControlGroupsList = 92;
    private const int ControlMinimumVersion = 123;
    private const int ControlMaximumVersion = 124;

    public static void SetMode(nint context, int mode) => SSL_CTX_ctrl(context, ControlMode, mode, 0);

    public static void SetSessionCacheMode(nint context, int mode) => SSL_CTX_ctrl(context, ControlSessionCacheMode, mode, 0);

    /// <param name="context">An SSL_CTX.</param>
    /// <param name="names">Ends with a zero.</param>
    public static bool SetGroups(nint context, byte* names) => SSL_CTX_ctrl(context, ControlGroupsList, 0, (nint)names) == 1;

    public static bool SetVersions(nint context, int minimum, int maximum)
        => SSL_CTX_ctrl(context, ControlMinimumVersion, minimum, 0) == 1 && SSL_CTX_ctrl(context, ControlMaximumVersion, maximum, 0) == 1;

    public static int ReasonOf(nuint error) => (int)(error & 0x7fffff);

    [LibraryImport(Crypto)]
    public static partial nuint OpenSSL_version_num();

    /// <summary>Text that lives as long as the library.</summary>
    [LibraryImport(Crypto)]
    public static partial byte* OpenSSL_version(int kind);

    [LibraryImport(Crypto)]
    [SuppressGCTransition]
    public static partial void ERR_clear_error();

    /// <summary>Takes the oldest error; 0 = none.</summary>
    [LibraryImport(Crypto)]
    public static partial nuint ERR_get_error();

    /// <summary>Text that lives as long as the library; null = unknown.</summary>
    [LibraryImport(Crypto)]
    public static partial byte* ERR_reason_error_string(nuint error);

    /// <summary>0 = no memory.</summary>
    [LibraryImport(Crypto)]
    public static partial nint OSSL_LIB_CTX_new();

    [LibraryImport(Crypto)]
    public static partial int OSSL_PROVIDER_available(nint libraryContext, byte* name);

    [LibraryImport(Crypto)]
    public static partial int OSSL_PROVIDER_do_all(nint libraryContext, delegate* unmanaged[Cdecl]<nint, void*, int> callback, void* argument);

    [LibraryImport(Crypto)]
    public static partial byte* OSSL_PROVIDER_get0_name(nint provider);

    [LibraryImport(Crypto)]
    public static partial int EVP_default_properties_is_fips_enabled(nint libraryContext);

    [LibraryImport(Crypto)]
    public static partial int BIO_get_new_index();

    [LibraryImport(Crypto)]
    public static partial nint BIO_meth_new(int type, byte* name);

    [LibraryImport(Crypto)]
    public static partial int BIO_meth_set_read(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> read);

    [LibraryImport(Crypto)]
    public static partial int BIO_meth_set_write(nint method, delegate* unmanaged[Cdecl]<nint, byte*, int, int> write);

    [LibraryImport(Crypto)]
    public static partial int BIO_meth_set_ctrl(nint method, delegate* unmanaged[Cdecl]<nint, int, CLong, nint, CLong> control);

    [LibraryImport(Crypto)]
    public static partial nint BIO_new(nint method);

    [LibraryImport(Crypto)]
    [SuppressGCTransition]
    public static partial void BIO_set_data(nint bio, void* data);

    [LibraryImport(Crypto)]
    [SuppressGCTransition]
    public static partial void* BIO_get_data(nint bio);

    [LibraryImport(Crypto)]
    [SuppressGCTransition]
    public static partial void BIO_set_flags(nint bio, int flags);

    [LibraryImport(Crypto)]
    [SuppressGCTransition]
    public static partial void BIO_clear_flags(nint bio, int flags);

    [LibraryImport(Crypto)]
    public static partial nint X509_new_ex(nint libraryContext, byte* properties);

    /// <summary>Reads into an object that exists. On failure that object is freed.</summary>
    [LibraryImport(Crypto)]
    public static partial nint d2i_X509(nint* reuse, byte** bytes, CLong count);

    [LibraryImport(Crypto)]
    public static partial void X509_free(nint certificate);

    [LibraryImport(Crypto)]
    public static partial nint d2i_AutoPrivateKey_ex(nint* reuse, byte** bytes, CLong count, nint libraryContext, byte* properties);

    [LibraryImport(Crypto)]
    public static partial void EVP_PKEY_free(nint key);

    [LibraryImport(Crypto)]
    public static partial nint OPENSSL_sk_new_null();

    [LibraryImport(Crypto)]
    public static partial int OPENSSL_sk_push(nint stack, nint item);

    [LibraryImport(Crypto)]
    public static partial void OPENSSL_sk_free(nint stack);

    [LibraryImport(Ssl)]
    public static partial nint TLS_server_method();

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_new_ex(nint libraryContext, byte* properties, nint method);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_free(nint context);

    [LibraryImport(Ssl)]
    public static partial ulong SSL_CTX_set_options(nint context, ulong options);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_cipher_list(nint context, byte* text);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_ciphersuites(nint context, byte* text);

    /// <summary>Takes its own references to everything.</summary>
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_use_cert_and_key(nint context, nint certificate, nint key, nint chain, int replaces);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_client_hello_cb(nint context, delegate* unmanaged[Cdecl]<nint, int*, nint, int> callback, nint argument);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_alpn_select_cb(nint context, delegate* unmanaged[Cdecl]<nint, byte**, byte*, byte*, uint, nint, int> callback, nint argument);

    /// <summary>TLS 1.3 tickets sent with the handshake.</summary>
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_num_tickets(nint context, nuint count);

    /// <summary>A TLS 1.3 ticket goes out before whatever is written or read next. 0 = not possible, as with TLS 1.2.</summary>
    [LibraryImport(Ssl)]
    [SuppressGCTransition]
    public static partial int SSL_new_session_ticket(nint ssl);

    [LibraryImport(Ssl)]
    public static partial nint SSL_new(nint context);

    [LibraryImport(Ssl)]
    public static partial void SSL_free(nint ssl);

    /// <summary>Takes over the caller's reference, one for both.</summary>
    [LibraryImport(Ssl)]
    public static partial void SSL_set_bio(nint ssl, nint readBio, nint writeBio);

    /// <summary>No reference is taken.</summary>
    [LibraryImport(Ssl)]
    public static partial nint SSL_get_rbio(nint ssl);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_accept_state(nint ssl);

    [LibraryImport(Ssl)]
    [SuppressGCTransition]
    public static partial int SSL_set_session_id_context(nint ssl, byte* bytes, uint count);

    /// <summary>Frees the buffers of records, unless part of one is in them.</summary>
    [LibraryImport(Ssl)]
    public static partial int SSL_free_buffers(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_do_handshake(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_read(nint ssl, byte* buffer, int count);

    [LibraryImport(Ssl)]
    public static partial int SSL_write(nint ssl, byte* buffer, int count);

    [LibraryImport(Ssl)]
    public static partial int SSL_shutdown(nint ssl);

    [LibraryImport(Ssl)]
    [SuppressGCTransition]
    public static partial int SSL_get_error(nint ssl, int result);

    [LibraryImport(Ssl)]
    [SuppressGCTransition]
    public static partial int SSL_client_hello_get0_ext(nint ssl, uint type, byte** bytes, nuint* count);

    [LibraryImport(Ssl)]
    [SuppressGCTransition]
    public static partial int SSL_version(nint ssl);

    [LibraryImport(Ssl)]
    [SuppressGCTransition]
    public static partial nint SSL_get_current_cipher(nint ssl);

    [LibraryImport(Ssl)]
    [SuppressGCTransition]
    public static partial ushort SSL_CIPHER_get_protocol_id(nint cipher);

    /// <summary>Those of TLS 1.3 come first. The stack stays the context's.</summary>
    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_get_ciphers(nint context);

    [LibraryImport(Ssl)]
    [SuppressGCTransition]
    public static partial int SSL_session_reused(nint ssl);

    [LibraryImport(Ssl)]
    [SuppressGCTransition]
    public static partial void SSL_get0_alpn_selected(nint ssl, byte** bytes, uint* count);

    // nint stands for the C long of the kinds of Linux that the event loop runs on.
    [LibraryImport(Ssl)]
    private static partial nint SSL_CTX_ctrl(nint context, int command, nint number, nint pointer);
}
