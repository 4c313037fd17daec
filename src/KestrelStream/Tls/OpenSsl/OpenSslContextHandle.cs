using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>One reference to an <c>SSL_CTX</c>. Its sessions have their own, so that it may go while they go on. Thread-safe.</summary>
internal sealed class OpenSslContextHandle : SafeHandle
{
    private OpenSslContextHandle(nint context)
        : base(0, ownsHandle: true)
        => SetHandle(context);

    public override bool IsInvalid => handle == 0;

    /// <summary>OpenSSL's own, in the order in which they were given to it.</summary>
    public List<nint> Certificates { get; } = [];

    public static unsafe OpenSslContextHandle New(OpenSslScope scope)
        => new(OpenSslNative.SSL_CTX_new_ex(scope.LibraryContext, null, OpenSslNative.TLS_server_method()));

    public static unsafe OpenSslContextHandle NewClient(OpenSslScope scope)
        => new(OpenSslNative.SSL_CTX_new_ex(scope.LibraryContext, null, OpenSslNative.TLS_client_method()));

    /// <summary>Sets a certificate for its kind of key. False = OpenSSL refuses.</summary>
    public bool Use(OpenSslScope scope, CertificateEntry certificate)
    {
        var isTaken = OpenSslCertificate.Use(scope, handle, certificate);
        Certificates.Add(isTaken ? OpenSslNative.SSL_CTX_get0_certificate(handle) : 0);
        return isTaken;
    }

    protected override bool ReleaseHandle()
    {
        OpenSslNative.SSL_CTX_free(handle);
        return true;
    }
}
