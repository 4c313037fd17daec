using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>What OpenSSL says of a call that failed: the oldest error of the calling thread's queue, which is left empty.</summary>
/// <param name="Reason">OpenSSL's number; 0 = it did not say.</param>
/// <param name="Text">OpenSSL's words.</param>
internal readonly record struct OpenSslError(int Reason, string Text)
{
    /// <summary>The peer has sent a fatal alert.</summary>
    public bool IsPeerAlert => Reason >= OpenSslNative.PeerAlertReasons;

    /// <summary>The client's certificate is missing or no good.</summary>
    public bool IsClientCertificate => Reason is OpenSslNative.ReasonCertificateVerifyFailed or OpenSslNative.ReasonPeerDidNotReturnACertificate;

    public static unsafe OpenSslError Take()
    {
        var error = OpenSslNative.ERR_get_error();
        var text = error == 0 ? null : OpenSslNative.ERR_reason_error_string(error);
        OpenSslNative.ERR_clear_error();
        var reason = error == 0 ? 0 : OpenSslNative.ReasonOf(error);
        return new OpenSslError(reason, text is null ? $"error {reason}" : Marshal.PtrToStringUTF8((nint)text)!);
    }
}
