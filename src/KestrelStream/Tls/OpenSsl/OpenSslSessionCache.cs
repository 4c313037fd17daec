using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Lets OpenSSL keep sessions in the cache of their policy. OpenSSL's own would be one for each loop, and a client seldom meets the same loop twice. Nothing here throws.</summary>
internal static unsafe class OpenSslSessionCache
{
    /// <summary>With a client's certificate of the largest size, and then some; what is longer is not kept.</summary>
    private const int MaxSessionBytes = 16 << 10;

    public static void Set(nint context)
    {
        OpenSslNative.SetSessionCacheMode(context, OpenSslNative.SessionCacheServer | OpenSslNative.SessionCacheNoInternal);
        OpenSslNative.SSL_CTX_sess_set_new_cb(context, &OnNew);
        OpenSslNative.SSL_CTX_sess_set_get_cb(context, &OnGet);
    }

    /// <summary>0 = no reference to the session was kept.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnNew(nint ssl, nint session)
    {
        if (OpenSslCallbacks.Current?.Context is not { Cache: { } cache } context || (context.IssuesTickets && OpenSslNative.SSL_version(ssl) == OpenSslNative.Tls13))
        {
            // A client of TLS 1.3 that has got a ticket will bring everything back itself.
            return 0;
        }

        var count = OpenSslNative.i2d_SSL_SESSION(session, null);
        if (count is <= 0 or > MaxSessionBytes)
        {
            return 0;
        }

        var der = new byte[count];
        fixed (byte* start = der)
        {
            var bytes = start;
            _ = OpenSslNative.i2d_SSL_SESSION(session, &bytes);
        }

        uint idCount;
        var id = OpenSslNative.SSL_SESSION_get_id(session, &idCount);
        cache.Add(new ReadOnlySpan<byte>(id, (int)idCount), der);
        return 0;
    }

    /// <summary>A session that OpenSSL owns from then on; it looks at its age and its name itself.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static nint OnGet(nint ssl, byte* id, int idCount, int* isCopied)
    {
        *isCopied = 0;
        var key = new ReadOnlySpan<byte>(id, idCount);
        if (OpenSslCallbacks.Current?.Context is not { Cache: { } cache } context || cache.Find(key) is not { } der)
        {
            return 0;
        }

        nint session;
        fixed (byte* start = der)
        {
            var bytes = start;
            session = OpenSslNative.d2i_SSL_SESSION(null, &bytes, new(der.Length));
        }

        CryptographicOperations.ZeroMemory(der);
        if (session == 0 || (context.AsksForCertificate && !OpenSslTrust.MayResume(ssl, session)))
        {
            OpenSslNative.SSL_SESSION_free(session);
            cache.Remove(key);
            return 0;
        }

        return session;
    }
}
