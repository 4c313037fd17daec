using KestrelStream.Tls;

namespace KestrelStream.Acme.Challenges;

/// <summary>tls-alpn-01: the proxy's own listeners show a certificate that proves the name. Thread-safe.</summary>
internal sealed class TlsAlpnResponder(ChallengeCertificates certificates, TimeProvider time) : IChallengeResponder
{
    public string Type => "tls-alpn-01";

    public void Set(string name, string token, string authorization)
    {
        using var certificate = TlsAlpnCertificate.Create(name, authorization, time.GetUtcNow());
        certificates.Set(name, certificate);
    }

    public void Remove(string name, string token) => certificates.Remove(name);
}
