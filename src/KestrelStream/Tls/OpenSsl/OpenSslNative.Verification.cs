using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Calls that concern the certificates of clients.</summary>
internal static unsafe partial class OpenSslNative
{
    public const int VerifyPeer = 1;
    public const int VerifyFailIfNoPeerCertificate = 2;

    public const uint CheckCrl = 4;
    public const uint CheckCrlOfWholeChain = 8;

    public const int ReasonCertificateVerifyFailed = 134;
    public const int ReasonPeerDidNotReturnACertificate = 199;

    public const int TicketSuccess = 5;
    public const int TicketSuccessRenew = 6;

    public const int TicketIgnoreAndRenew = 2;
    public const int TicketUse = 3;
    public const int TicketUseAndRenew = 4;

    private const int ControlSetVerifyStore = 106;

    /// <summary>Takes over the caller's reference. The store is for clients alone: our own chain is not completed from it.</summary>
    public static bool SetVerifyStore(nint context, nint store) => SSL_CTX_ctrl(context, ControlSetVerifyStore, 0, store) == 1;

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_verify(nint context, int mode, nint callback);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_set_verify_depth(nint context, int depth);

    /// <summary>Copies the certificate's subject.</summary>
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_add_client_CA(nint context, nint certificate);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_session_ticket_cb(
        nint context, delegate* unmanaged[Cdecl]<nint, nint, int> generate, delegate* unmanaged[Cdecl]<nint, nint, byte*, nuint, int, nint, int> decrypt, nint argument);

    /// <summary>No reference of one's own; 0 = none.</summary>
    [LibraryImport(Ssl)]
    public static partial nint SSL_SESSION_get0_peer(nint session);

    /// <summary>No reference of one's own; 0 = none.</summary>
    [LibraryImport(Ssl)]
    public static partial nint SSL_get0_peer_certificate(nint ssl);

    /// <summary>0 = good, or there was none.</summary>
    [LibraryImport(Ssl)]
    public static partial CLong SSL_get_verify_result(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_get_verify_mode(nint ssl);

    /// <summary>Text that lives as long as the library, for every result that OpenSSL knows.</summary>
    [LibraryImport(Crypto)]
    public static partial byte* X509_verify_cert_error_string(CLong result);

    /// <summary>0 = no memory.</summary>
    [LibraryImport(Crypto)]
    public static partial nint X509_STORE_new();

    [LibraryImport(Crypto)]
    public static partial void X509_STORE_free(nint store);

    /// <summary>Takes a reference of its own.</summary>
    [LibraryImport(Crypto)]
    public static partial int X509_STORE_add_cert(nint store, nint certificate);

    /// <summary>Takes a reference of its own.</summary>
    [LibraryImport(Crypto)]
    public static partial int X509_STORE_add_crl(nint store, nint crl);

    [LibraryImport(Crypto)]
    public static partial int X509_STORE_set_flags(nint store, CULong flags);

    [LibraryImport(Crypto)]
    public static partial nint X509_CRL_new_ex(nint libraryContext, byte* properties);

    /// <summary>Reads into an object that exists. On failure that object is freed.</summary>
    [LibraryImport(Crypto)]
    public static partial nint d2i_X509_CRL(nint* reuse, byte** bytes, CLong count);

    [LibraryImport(Crypto)]
    public static partial void X509_CRL_free(nint crl);

    /// <summary>Its length; with <paramref name="bytes"/> null nothing is written.</summary>
    [LibraryImport(Crypto)]
    public static partial int i2d_X509(nint certificate, byte** bytes);

    [LibraryImport(Crypto)]
    public static partial nint X509_get0_notAfter(nint certificate);

    /// <summary>Above 0 = later than now; 0 = not readable.</summary>
    [LibraryImport(Crypto)]
    public static partial int X509_cmp_current_time(nint time);
}
