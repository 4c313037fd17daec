using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>Says whether one client of <see cref="SslStream"/> has shown a certificate that its route takes. One per handshake; not thread-safe.</summary>
internal sealed class ClientCertificateJudge(ClientCertificatesConfig config)
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    /// <summary>Why the client was refused; null = it was not.</summary>
    public string? WhyNot { get; private set; }

    /// <summary>It was asked, and has said yes.</summary>
    public bool IsSatisfied { get; private set; }

    /// <summary>The client's; null = it has shown none.</summary>
    public ClientCertificate? Certificate { get; private set; }

    /// <summary>How SslStream builds the chain, before it asks: from the route's own roots, and without asking anybody on the network for what the client names.</summary>
    public static X509ChainPolicy ChainPolicyOf(ClientTrust trust)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(trust.Certificates);
        policy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        return policy;
    }

    /// <summary>What SslStream calls.</summary>
    public bool Judge(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        IsSatisfied = false;
        WhyNot = Find(certificate, chain, errors);
        if (WhyNot is not null)
        {
            return false;
        }

        Certificate = certificate is null ? null : ClientCertificate.Of(certificate.GetRawCertData()) with { IssuerDer = IssuerIn(chain!) };
        return IsSatisfied = true;
    }

    /// <summary>A root that is a client itself is its own.</summary>
    private static byte[] IssuerIn(X509Chain chain) => chain.ChainElements[Math.Min(1, chain.ChainElements.Count - 1)].Certificate.RawData;

    private string? Find(X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
        {
            return config.Mode == ClientCertificateMode.Allow ? null : "the client has shown no certificate";
        }

        if (errors != SslPolicyErrors.None || chain is null)
        {
            var why = chain is null || chain.ChainStatus.Length == 0 ? errors.ToString() : string.Join(", ", chain.ChainStatus.Select(status => status.Status));
            return $"the client's certificate is not good: {why}";
        }

        // The leaf and the root do not count, as with OpenSSL.
        var authorities = chain.ChainElements.Count - 2;
        return authorities <= config.Depth
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"the client's certificate is not good: {authorities} authorities below the root, at most {config.Depth} are allowed");
    }
}
