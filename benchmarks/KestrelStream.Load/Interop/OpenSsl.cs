using System.Runtime.InteropServices;

namespace KestrelStream.Load.Interop;

/// <summary>The few OpenSSL 3 calls of the TLS client: cheaper than <c>SslStream</c>, and it can tell whether a session was resumed.</summary>
/// <remarks>The library is the one .NET itself uses, found by the same name.</remarks>
internal static unsafe partial class OpenSsl
{
    public const int Tls13 = 0x0304;
    public const int ErrorZeroReturn = 6;
    public const int SentAndReceivedShutdown = 3;

    /// <summary>Treat a plain end of the connection as close_notify.</summary>
    public const ulong IgnoreUnexpectedEof = 0x80;

    private const string Ssl = "libssl.so.3";
    private const string Crypto = "libcrypto.so.3";
    private const int ControlSetServerName = 55;
    private const int ControlSetGroups = 92;
    private const int ControlSetMinimumProtocol = 123;

    public static void SetMinimumProtocol(nint context, int version) => _ = SSL_CTX_ctrl(context, ControlSetMinimumProtocol, version, 0);

    public static bool SetGroups(nint context, string groups)
    {
        nint text = Marshal.StringToCoTaskMemUTF8(groups);
        bool isSet = SSL_CTX_ctrl(context, ControlSetGroups, 0, text) == 1;
        Marshal.FreeCoTaskMem(text);
        return isSet;
    }

    public static void SetServerName(nint ssl, string name)
    {
        nint text = Marshal.StringToCoTaskMemUTF8(name);
        _ = SSL_ctrl(ssl, ControlSetServerName, 0, text);
        Marshal.FreeCoTaskMem(text);
    }

    [LibraryImport(Ssl)]
    public static partial nint TLS_client_method();

    [LibraryImport(Ssl)]
    public static partial nint SSL_CTX_new(nint method);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_free(nint context);

    [LibraryImport(Ssl, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SSL_CTX_set_ciphersuites(nint context, string suites);

    [LibraryImport(Ssl)]
    public static partial ulong SSL_CTX_set_options(nint context, ulong options);

    [LibraryImport(Ssl)]
    public static partial nint SSL_new(nint context);

    [LibraryImport(Ssl)]
    public static partial void SSL_free(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_set_fd(nint ssl, int descriptor);

    [LibraryImport(Ssl)]
    public static partial int SSL_connect(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_read(nint ssl, byte* buffer, int length);

    [LibraryImport(Ssl)]
    public static partial int SSL_write(nint ssl, byte* buffer, int length);

    [LibraryImport(Ssl)]
    public static partial int SSL_shutdown(nint ssl);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_shutdown(nint ssl, int state);

    [LibraryImport(Ssl)]
    public static partial int SSL_get_error(nint ssl, int result);

    [LibraryImport(Ssl)]
    public static partial int SSL_version(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_session_reused(nint ssl);

    [LibraryImport(Ssl)]
    public static partial nint SSL_get1_session(nint ssl);

    [LibraryImport(Ssl)]
    public static partial int SSL_set_session(nint ssl, nint session);

    [LibraryImport(Ssl)]
    public static partial void SSL_SESSION_free(nint session);

    [LibraryImport(Ssl)]
    public static partial int SSL_set_alpn_protos(nint ssl, byte* protocols, uint length);

    [LibraryImport(Ssl)]
    public static partial void SSL_set_bio(nint ssl, nint readBio, nint writeBio);

    [LibraryImport(Crypto)]
    public static partial nint BIO_s_mem();

    [LibraryImport(Crypto)]
    public static partial nint BIO_new(nint method);

    [LibraryImport(Crypto)]
    public static partial int BIO_read(nint bio, byte* buffer, int length);

    /// <summary>Errors stay queued per thread and would be blamed on the next call; every failed call is followed by this.</summary>
    [LibraryImport(Crypto)]
    public static partial void ERR_clear_error();

    [LibraryImport(Ssl)]
    private static partial nint SSL_CTX_ctrl(nint context, int command, nint number, nint pointer);

    [LibraryImport(Ssl)]
    private static partial nint SSL_ctrl(nint ssl, int command, nint number, nint pointer);
}
