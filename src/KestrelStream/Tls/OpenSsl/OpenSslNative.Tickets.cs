using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Calls that concern the resumption of sessions.</summary>
internal static unsafe partial class OpenSslNative
{
    public const ulong OpNoTicket = 1 << 14;

    public const int SessionCacheServer = 2;
    public const int SessionCacheNoInternal = 0x300;

    public const int TicketKeyError = -1;
    public const int TicketKeyUnknown = 0;
    public const int TicketKeyUse = 1;
    public const int TicketKeyUseAndRenew = 2;

    /// <summary>Of what an <see cref="Parameter"/> points to.</summary>
    public const uint ParameterUtf8 = 4;


    /// <summary>Seconds that a session can be resumed for.</summary>
    [LibraryImport(Ssl)]
    public static partial CLong SSL_CTX_set_timeout(nint context, CLong seconds);

    [LibraryImport(Ssl)]
    public static partial int SSL_CTX_set_tlsext_ticket_key_evp_cb(nint context, delegate* unmanaged[Cdecl]<nint, byte*, byte*, nint, nint, int, int> callback);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_sess_set_new_cb(nint context, delegate* unmanaged[Cdecl]<nint, nint, int> callback);

    [LibraryImport(Ssl)]
    public static partial void SSL_CTX_sess_set_get_cb(nint context, delegate* unmanaged[Cdecl]<nint, byte*, int, int*, nint> callback);

    /// <summary>No copy.</summary>
    [LibraryImport(Ssl)]
    public static partial byte* SSL_SESSION_get_id(nint session, uint* count);

    [LibraryImport(Ssl)]
    public static partial void SSL_SESSION_free(nint session);

    /// <summary>Its length; with <paramref name="bytes"/> null nothing is written.</summary>
    [LibraryImport(Ssl)]
    public static partial int i2d_SSL_SESSION(nint session, byte** bytes);

    [LibraryImport(Ssl)]
    public static partial nint d2i_SSL_SESSION(nint* reuse, byte** bytes, CLong count);

    [LibraryImport(Crypto)]
    public static partial nint EVP_CIPHER_fetch(nint libraryContext, byte* name, byte* properties);

    [LibraryImport(Crypto)]
    public static partial int EVP_EncryptInit_ex2(nint context, nint cipher, byte* key, byte* iv, Parameter* parameters);

    [LibraryImport(Crypto)]
    public static partial int EVP_DecryptInit_ex2(nint context, nint cipher, byte* key, byte* iv, Parameter* parameters);

    [LibraryImport(Crypto)]
    public static partial int EVP_MAC_init(nint context, byte* key, nuint count, Parameter* parameters);

    [LibraryImport(Crypto)]
    public static partial int RAND_bytes_ex(nint libraryContext, byte* bytes, nuint count, uint strength);

    /// <summary>OSSL_PARAM; an array of them ends with one that is all zero.</summary>
    public struct Parameter
    {
        public byte* Key;
        public uint Type;
        public void* Data;
        public nuint Size;
        public nuint ReturnedSize;
    }
}
