using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>Takes the place of a certificate that ACME has not got yet: signed by itself, in memory only, another one at each start.</summary>
internal static class StandInCertificate
{
    private static readonly TimeSpan s_life = TimeSpan.FromDays(365);

    /// <param name="id">Of the certificate.</param>
    /// <param name="acme">Its names.</param>
    /// <param name="now">It is valid from a day before.</param>
    public static CertificateEntry Create(string id, AcmeConfig acme, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=KestrelStream stand-in", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in acme.Names)
        {
            names.AddDnsName(name);
        }

        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now + s_life);
        return CertificateEntry.OfMemory(id, certificate, isStandIn: true);
    }
}
