using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using KestrelStream.Preread;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>
/// What OpenSSL asks during a handshake. It asks on the thread that called it, about the session that called: that one is noted for the time of the
/// call, so that no pointer to an object of ours is ever given away. Nothing here throws.
/// </summary>
internal static unsafe class OpenSslCallbacks
{
    [ThreadStatic]
    private static OpenSslSession? t_current;

    /// <summary>The session that OpenSSL has been called for on this thread.</summary>
    public static OpenSslSession? Current => t_current;

    public static void Set(nint context, bool hasAlpn)
    {
        OpenSslNative.SSL_CTX_set_client_hello_cb(context, &OnClientHello, 0);
        if (hasAlpn)
        {
            OpenSslNative.SSL_CTX_set_alpn_select_cb(context, &OnAlpn, 0);
        }
    }

    public static void SetClient(nint context) => OpenSslNative.SSL_CTX_sess_set_new_cb(context, &OnNewSession);

    public static int Handshake(OpenSslSession session, nint ssl)
    {
        t_current = session;
        var result = OpenSslNative.SSL_do_handshake(ssl);
        t_current = null;
        return result;
    }

    /// <summary>Reads as a client: sessions to resume come at any time with TLS 1.3.</summary>
    public static int Read(OpenSslSession session, nint ssl, byte* buffer, int count)
    {
        t_current = session;
        var result = OpenSslNative.SSL_read(ssl, buffer, count);
        t_current = null;
        return result;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnNewSession(nint ssl, nint session) => t_current is OpenSslClientSession client && client.Keep(session) ? 1 : 0;

    /// <summary>Called for every hello, the one after HelloRetryRequest too: each must name the server that our own parser found in the first.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnClientHello(nint ssl, int* alert, nint argument)
    {
        byte* bytes;
        nuint count;
        var extension = OpenSslNative.SSL_client_hello_get0_ext(ssl, OpenSslNative.ExtensionServerName, &bytes, &count) == 1
            ? new ReadOnlySpan<byte>(bytes, (int)count)
            : default;
        if (t_current is { Context: not null } session && IsName(extension, session.ServerName))
        {
            return OpenSslNative.ClientHelloSuccess;
        }

        t_current?.NameDiffers();
        *alert = (int)TlsAlert.IllegalParameter;
        return OpenSslNative.ClientHelloError;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnAlpn(nint ssl, byte** selected, byte* selectedCount, byte* offered, uint offeredCount, nint argument)
    {
        foreach (var protocol in t_current?.Context?.Alpn ?? [])
        {
            for (var rest = new ReadOnlySpan<byte>(offered, (int)offeredCount); !rest.IsEmpty && rest.Length > rest[0]; rest = rest[(1 + rest[0])..])
            {
                var name = rest.Slice(1, rest[0]);
                if (name.SequenceEqual(protocol))
                {
                    // Copied by OpenSSL at once.
                    *selected = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(name));
                    *selectedCount = (byte)name.Length;
                    return OpenSslNative.AlpnOk;
                }
            }
        }

        return OpenSslNative.AlpnFatal;
    }

    /// <param name="extension">server_name as in RFC 6066 §3: list length, type 0, name length, name. Empty = not there.</param>
    /// <param name="expected">Lower case, no trailing dot; null = none, or an address.</param>
    private static bool IsName(ReadOnlySpan<byte> extension, string? expected)
    {
        const int Header = 5;
        if (extension.IsEmpty)
        {
            return expected is null;
        }

        return extension.Length > Header
            && extension[2] == 0
            && (extension[0] << 8 | extension[1]) == extension.Length - 2
            && (extension[3] << 8 | extension[4]) == extension.Length - Header
            && ServerNameSyntax.TryParse(extension[Header..], out var name)
            && (expected is null ? name.IsEmpty : Ascii.EqualsIgnoreCase(name, expected));
    }
}
