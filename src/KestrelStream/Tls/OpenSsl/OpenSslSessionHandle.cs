using System.Runtime.InteropServices;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>One reference to an <c>SSL_SESSION</c>: what a destination has said it would go on with. Thread-safe.</summary>
internal sealed class OpenSslSessionHandle : SafeHandle
{
    public OpenSslSessionHandle(nint session)
        : base(0, ownsHandle: true)
        => SetHandle(session);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        OpenSslNative.SSL_SESSION_free(handle);
        return true;
    }
}
