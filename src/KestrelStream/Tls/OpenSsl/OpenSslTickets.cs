using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Gives OpenSSL the keys of tickets, during the handshakes that need them. AES-256 in CBC mode, then HMAC with SHA-256 (RFC 5077 §4). Nothing here throws.</summary>
/// <remarks>
/// A callback, not <c>SSL_CTX_set_tlsext_ticket_keys</c>: that knows one key alone, so that a rotation would end all sessions at once, and it must not be called while
/// another thread shakes hands. It costs nothing that can be measured: what OpenSSL does by itself it looks up by name each time.
/// </remarks>
internal static unsafe class OpenSslTickets
{
    private const int IvBytes = 16;

    public static bool Set(nint context) => OpenSslNative.SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &OnKey) == 1;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnKey(nint ssl, byte* name, byte* iv, nint cipher, nint mac, int encrypts)
    {
        if (OpenSslCallbacks.Current is not { Context.Tickets: { } secrets } session)
        {
            return encrypts == 1 ? OpenSslNative.TicketKeyError : OpenSslNative.TicketKeyUnknown;
        }

        var scope = session.Buffers.Scope;
        if (encrypts == 1)
        {
            secrets.NameOf(0).CopyTo(new Span<byte>(name, TicketSecrets.NameBytes));
            return OpenSslNative.RAND_bytes_ex(scope.LibraryContext, iv, IvBytes, 0) == 1
                && OpenSslNative.EVP_EncryptInit_ex2(cipher, scope.TicketCipher, secrets.CipherKeyOf(0), iv, null) == 1
                && InitMac(mac, secrets.MacKeyOf(0))
                ? OpenSslNative.TicketKeyUse
                : OpenSslNative.TicketKeyError;
        }

        var index = secrets.IndexOf(new ReadOnlySpan<byte>(name, TicketSecrets.NameBytes));
        return index < 0 ? OpenSslNative.TicketKeyUnknown
            : OpenSslNative.EVP_DecryptInit_ex2(cipher, scope.TicketCipher, secrets.CipherKeyOf(index), iv, null) != 1 || !InitMac(mac, secrets.MacKeyOf(index)) ? OpenSslNative.TicketKeyError
            : index == 0 ? OpenSslNative.TicketKeyUse
            : OpenSslNative.TicketKeyUseAndRenew;
    }

    private static bool InitMac(nint mac, byte* key)
    {
        // Literals lie in the image and do not move.
        var parameters = stackalloc OpenSslNative.Parameter[2];
        parameters[0] = new OpenSslNative.Parameter
        {
            Key = OpenSslScope.Utf8("digest\0"u8),
            Type = OpenSslNative.ParameterUtf8,
            Data = OpenSslScope.Utf8("SHA256\0"u8),
            Size = 6,
        };
        parameters[1] = default;
        return OpenSslNative.EVP_MAC_init(mac, key, TicketSecrets.MacKeyBytes, parameters) == 1;
    }
}
