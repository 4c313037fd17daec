using System.Net;
using System.Runtime.InteropServices;
using KestrelStream.Tls.Upstream;

namespace KestrelStream.Tls.OpenSsl;

/// <summary>Our part of TLS with a destination. As <see cref="OpenSslSession"/>; what the destination gives to be resumed with goes to the cache.</summary>
internal sealed unsafe class OpenSslClientSession : OpenSslSession
{
    private readonly OpenSslClientSessions? _cache;
    private readonly EndPoint _member;
    private readonly string _name;
    private readonly bool _verifies;

    /// <param name="ssl">Owned from here on.</param>
    /// <param name="buffers">Of the loop.</param>
    /// <param name="verifies">The destination's certificate must have been verified.</param>
    /// <param name="cache">Null = nothing is resumed.</param>
    /// <param name="member">Its address.</param>
    /// <param name="name">It is called by.</param>
    public OpenSslClientSession(nint ssl, TlsBuffers buffers, bool verifies, OpenSslClientSessions? cache, EndPoint member, string name)
        : base(ssl, buffers, isServer: false)
    {
        _cache = cache;
        _member = member;
        _name = name;
        _verifies = verifies;
    }

    /// <summary>The destination's certificate is what has failed.</summary>
    public bool IsCertificateRefused => Error.Reason == OpenSslNative.ReasonCertificateVerifyFailed;

    /// <summary>Called by OpenSSL, from within a step of this session.</summary>
    /// <returns>Whether the reference was taken.</returns>
    public bool Keep(nint session)
    {
        if (_cache is null)
        {
            return false;
        }

        _cache.Keep(session, _member, _name);
        return true;
    }

    protected override TlsStatus Established()
    {
        // OpenSSL has seen to it; this is the second lock on the door.
        if (_verifies && !OpenSslTrust.IsServerVerified(Ssl))
        {
            Fail(new OpenSslError(OpenSslNative.ReasonCertificateVerifyFailed, "the destination's certificate was not verified"));
            return TlsStatus.Failed;
        }

        return TlsStatus.Done;
    }

    protected override OpenSslError Explain(OpenSslError error)
        => error.Reason == OpenSslNative.ReasonCertificateVerifyFailed
            ? error with { Text = UpstreamProblem.Of(OpenSslTrust.WhyNot(Ssl) ?? error.Text, OpenSslTrust.ShownBy(Ssl)) }
            : error;
}
