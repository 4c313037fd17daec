using KestrelStream.Load.Interop;

namespace KestrelStream.Load.Client;

/// <summary>Settings shared by the TLS connections of one load: TLS 1.3 only, AES-128-GCM, X25519, no certificate check.</summary>
/// <remarks>Everything the two ends could choose is fixed here, so every proxy does the same cryptography.</remarks>
internal sealed class TlsContext : IDisposable
{
    public const string ServerName = "bench.example.com";

    public TlsContext()
    {
        Handle = OpenSsl.SSL_CTX_new(OpenSsl.TLS_client_method());
        OpenSsl.SetMinimumProtocol(Handle, OpenSsl.Tls13);

        // nginx answers close_notify by closing, without one of its own.
        _ = OpenSsl.SSL_CTX_set_options(Handle, OpenSsl.IgnoreUnexpectedEof);
        if (OpenSsl.SSL_CTX_set_ciphersuites(Handle, "TLS_AES_128_GCM_SHA256") != 1 || !OpenSsl.SetGroups(Handle, "X25519"))
        {
            throw new BenchmarkException("this OpenSSL lacks TLS_AES_128_GCM_SHA256 or X25519");
        }
    }

    public nint Handle { get; }

    public void Dispose() => OpenSsl.SSL_CTX_free(Handle);
}
