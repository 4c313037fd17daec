using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>Takes the place of a certificate that ACME has not got yet: signed by itself, in memory only, another one at each start.</summary>
internal static class StandInCertificate
{
    private static readonly TimeSpan Life = TimeSpan.FromDays(365);

    /// <param name="id">Of the certificate.</param>
    /// <param name="acme">Its names, and whether clients may see this.</param>
    /// <param name="failed">Why the real one is not there.</param>
    /// <param name="now">It is valid from a day before.</param>
    public static CertificateLoadResult Create(string id, AcmeConfig acme, CertificateLoadResult failed, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=KestrelStream stand-in", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in acme.Names)
        {
            names.AddDnsName(name);
        }

        request.CertificateExtensions.Add(names.Build());
        var leaf = request.CreateSelfSigned(now.AddDays(-1), now + Life);
        var entry = new CertificateEntry
        {
            Id = id,
            Leaf = leaf,
            Intermediates = [],
            Context = SslStreamCertificateContext.Create(leaf, additionalCertificates: null, offline: true),
            DnsNames = [.. acme.Names.Select(name => name.ToLowerInvariant())],
            NotBefore = leaf.NotBefore.ToUniversalTime(),
            NotAfter = leaf.NotAfter.ToUniversalTime(),
            Files = failed.Files,
            IsStandIn = true,
            IsRefused = acme.UntilIssued == AcmeUntilIssued.Refuse,
        };

        // A file that is not there yet is what is to be expected.
        return new CertificateLoadResult(entry, null, failed.Files.Certificate.Length < 0 ? null : failed.Error!.Message, failed.Files);
    }
}
