using KestrelStream.Sessions;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Tls;

/// <summary>Ends TLS with what the policy was compiled for. One for the process; thread-safe.</summary>
internal sealed class TlsTerminator(OpenSslTerminator openSsl, SslStreamTerminator sslStream) : ITlsTerminator
{
    public ValueTask PrepareAsync(StreamSession session, TlsPolicy policy) => Of(policy).PrepareAsync(session, policy);

    public ValueTask<bool> TerminateAsync(StreamSession session, TlsPolicy policy)
        => Of(policy).TerminateAsync(session, policy);

    private ITlsTerminator Of(TlsPolicy policy) => policy.OpenSsl is not null ? openSsl : sslStream;
}
