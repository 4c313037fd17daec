using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelStream.Tls;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace KestrelStream.Http;

/// <summary>
/// Tells Kestrel what a client has agreed on with us: by these features it serves <c>https</c> and HTTP/2 where ALPN says so, and the app finds the
/// client's certificate. One a connection; thread-safe.
/// </summary>
internal sealed class HandedOverTls(TlsFacts facts, string? serverName) : ITlsConnectionFeature, ITlsHandshakeFeature, ITlsApplicationProtocolFeature
{
    private X509Certificate2? _certificate;
    private bool _isReplaced;

    /// <summary>The client's, which was verified under the policy of the route. Made when it is first asked for; the app's to keep.</summary>
    public X509Certificate2? ClientCertificate
    {
        get => _isReplaced || _certificate is not null || facts.ClientCertificate?.Der is not { } der ? _certificate : _certificate = X509CertificateLoader.LoadCertificate(der);
        set => (_certificate, _isReplaced) = (value, true);
    }

    public SslProtocols Protocol { get; } = facts.Version == "TLSv1.3" ? SslProtocols.Tls13 : SslProtocols.Tls12;

    public TlsCipherSuite? NegotiatedCipherSuite { get; } = Enum.TryParse<TlsCipherSuite>(facts.Cipher, out var suite) ? suite : null;

    public string HostName => serverName ?? "";

    public ReadOnlyMemory<byte> ApplicationProtocol { get; } = facts.Alpn is { } alpn ? Encoding.Latin1.GetBytes(alpn) : ReadOnlyMemory<byte>.Empty;

    /// <remarks>The route's policy decides at the handshake whether a client is asked; TLS 1.3 allows no second time.</remarks>
    public Task<X509Certificate2?> GetClientCertificateAsync(CancellationToken cancellationToken) => Task.FromResult(ClientCertificate);

#pragma warning disable SYSLIB0058 // Members of the interface; the cipher suite says all of it.
    CipherAlgorithmType ITlsHandshakeFeature.CipherAlgorithm => CipherAlgorithmType.None;

    int ITlsHandshakeFeature.CipherStrength => 0;

    HashAlgorithmType ITlsHandshakeFeature.HashAlgorithm => HashAlgorithmType.None;

    int ITlsHandshakeFeature.HashStrength => 0;

    ExchangeAlgorithmType ITlsHandshakeFeature.KeyExchangeAlgorithm => ExchangeAlgorithmType.None;

    int ITlsHandshakeFeature.KeyExchangeStrength => 0;
#pragma warning restore SYSLIB0058
}
