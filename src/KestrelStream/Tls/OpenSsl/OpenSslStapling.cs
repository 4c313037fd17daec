using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Gives OpenSSL what is known of a certificate's revocation, when a client asks. Nothing here waits or throws.</summary>
internal static unsafe class OpenSslStapling
{
    public static bool Set(nint context) => OpenSslNative.SetStatusCallback(context, &OnStatus);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnStatus(nint ssl, nint argument)
    {
        if (OpenSslCallbacks.Current is not { Context: { } context } session
            || context.AnswerFor(session.Buffers.Scope, OpenSslNative.SSL_get_certificate(ssl)) is not { } der)
        {
            return OpenSslNative.StatusNothing;
        }

        var copy = OpenSslNative.CRYPTO_malloc((nuint)der.Length, null, 0);
        if (copy is null)
        {
            return OpenSslNative.StatusNothing;
        }

        der.CopyTo(new Span<byte>(copy, der.Length));
        return OpenSslNative.SetStatusResponse(ssl, copy, der.Length) ? OpenSslNative.StatusOk : OpenSslNative.StatusNothing;
    }
}
