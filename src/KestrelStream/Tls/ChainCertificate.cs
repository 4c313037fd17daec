using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.Tls;

/// <summary>An authority's certificate as it is sent with a leaf. Immutable; thousands of leaves share one.</summary>
internal sealed class ChainCertificate
{
    /// <summary>A handful of authorities issue almost everything; beyond this somebody's files are strange, and are just not shared.</summary>
    private const int MaxShared = 1000;

    private static readonly ConcurrentDictionary<string, WeakReference<ChainCertificate>> s_shared = new();

    private readonly byte[] _subject;
    private readonly byte[] _issuer;
    private readonly byte[]? _keyId;
    private readonly byte[]? _issuerKeyId;

    private ChainCertificate(byte[] der)
    {
        using var certificate = X509CertificateLoader.LoadCertificate(der);
        Der = der;
        (_subject, _issuer) = (certificate.SubjectName.RawData, certificate.IssuerName.RawData);
        _keyId = certificate.Extensions.OfType<X509SubjectKeyIdentifierExtension>().FirstOrDefault()?.SubjectKeyIdentifierBytes.ToArray();
        _issuerKeyId = IssuerKeyIdOf(certificate);
        Strength = StrengthOf(certificate);
    }

    public byte[] Der { get; }

    /// <summary>See <see cref="CertificateEntry.Strength"/>.</summary>
    public string Strength { get; }

    private bool IsSelfIssued => _subject.AsSpan().SequenceEqual(_issuer);

    /// <exception cref="System.Security.Cryptography.CryptographicException">It is damaged.</exception>
    public static ChainCertificate Of(byte[] der)
    {
        var digest = Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(der));
        if (s_shared.TryGetValue(digest, out var reference) && reference.TryGetTarget(out var known))
        {
            return known;
        }

        if (s_shared.Count >= MaxShared)
        {
            s_shared.Clear();
        }

        var certificate = new ChainCertificate(der);
        s_shared[digest] = new WeakReference<ChainCertificate>(certificate);
        return certificate;
    }

    /// <summary>What is sent with a leaf: from its issuer upwards as far as the certificates lead, without the root, which clients have or do not trust.</summary>
    public static ChainCertificate[] Order(X509Certificate2 leaf, IReadOnlyList<ChainCertificate> others, out bool endsInRoot)
    {
        var chain = new List<ChainCertificate>();
        var (issuer, keyId) = (leaf.IssuerName.RawData, IssuerKeyIdOf(leaf));
        while (true)
        {
            // Authorities of the same name with another key exist: renewed, or signed crosswise.
            var named = others.Where(other => other._subject.AsSpan().SequenceEqual(issuer) && !chain.Contains(other)).ToList();
            var next = named.Find(other => keyId is not null && other._keyId is not null && keyId.AsSpan().SequenceEqual(other._keyId)) ?? named.FirstOrDefault();
            endsInRoot = next is { IsSelfIssued: true };
            if (next is null || endsInRoot)
            {
                return [.. chain];
            }

            chain.Add(next);
            (issuer, keyId) = (next._issuer, next._issuerKeyId);
        }
    }

    public static string StrengthOf(X509Certificate2 certificate)
        => $"{certificate.GetKeyAlgorithm()} {Convert.ToHexString(certificate.GetKeyAlgorithmParameters() ?? [])} {certificate.PublicKey.EncodedKeyValue.RawData.Length} {certificate.SignatureAlgorithm.Value}";

    private static byte[]? IssuerKeyIdOf(X509Certificate2 certificate)
        => certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().FirstOrDefault()?.KeyIdentifier?.ToArray();
}
