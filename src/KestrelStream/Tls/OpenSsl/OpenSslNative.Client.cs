using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Calls that concern the client's part: of connections to destinations.</summary>
internal static unsafe partial class OpenSslNative
{
    /// <summary>Sessions are handed to us alone: OpenSSL neither keeps nor finds any itself.</summary>
    public const int SessionCacheClientOfOurs = 0x1 | 0x100 | 0x200;

    /// <summary>The subject's common name is never taken for a host name (RFC 9525 §6.2).</summary>
    public const uint CheckNeverSubject = 0x20;

    /// <summary>A wildcard stands for a whole label (RFC 9525 §6.3).</summary>
    public const uint CheckNoPartialWildcards = 0x4;

    private const int ControlSetHostName = 55;

    /// <summary>False = it is too long, or there is no memory.</summary>
    /// <param name="ssl">A client's.</param>
    /// <param name="name">Ends with a zero.</param>
    public static bool SetServerName(nint ssl, byte* name) => SSL_ctrl(ssl, ControlSetHostName, 0, (nint)name) == 1;

    [LibraryImport(Ssl)]
    public static partial nint TLS_client_method();

    [LibraryImport(Ssl)]
    public static partial void SSL_set_connect_state(nint ssl);

    /// <summary>The authorities of this system: OpenSSL's own folder and file, or what SSL_CERT_DIR and SSL_CERT_FILE name.</summary>
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_default_verify_paths(nint context);

    /// <summary>0 = good, unlike everywhere else.</summary>
    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_alpn_protos(nint context, byte* protocols, uint count);

    /// <summary>Takes a reference of its own.</summary>
    [LibraryImport(Ssl)]
    public static partial int SSL_set_session(nint ssl, nint session);

    [LibraryImport(Ssl)]
    public static partial int SSL_SESSION_is_resumable(nint session);

    /// <summary>No reference of one's own.</summary>
    [LibraryImport(Ssl)]
    public static partial nint SSL_get0_param(nint ssl);

    /// <summary>As far as it was built, good or not; no reference of one's own; 0 = there is none.</summary>
    [LibraryImport(Ssl)]
    public static partial nint SSL_get0_verified_chain(nint ssl);

    [LibraryImport(Crypto)]
    public static partial nint OPENSSL_sk_value(nint stack, int index);

    [LibraryImport(Crypto)]
    public static partial int OPENSSL_sk_num(nint stack);

    [LibraryImport(Crypto)]
    public static partial int X509_VERIFY_PARAM_set1_host(nint parameters, byte* name, nuint count);

    [LibraryImport(Crypto)]
    public static partial int X509_VERIFY_PARAM_set1_ip(nint parameters, byte* address, nuint count);

    [LibraryImport(Crypto)]
    public static partial void X509_VERIFY_PARAM_set_hostflags(nint parameters, uint flags);
}
