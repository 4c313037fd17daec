using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>
/// A certificate as it was loaded: as bytes, some 2 KB, because there may be ten thousands of them. What a TLS library makes of it, which is a multiple of that,
/// is made for certificates that clients ask for. Immutable; thread-safe.
/// </summary>
internal sealed class CertificateEntry
{
    /// <summary>Of the configuration.</summary>
    public required string Id { get; init; }

    /// <summary>The leaf, DER.</summary>
    public required byte[] Certificate { get; init; }

    /// <summary>Its key, PKCS#8.</summary>
    public required byte[] PrivateKey { get; init; }

    /// <summary>What is sent beside the leaf, from its issuer upwards, without the root.</summary>
    public required IReadOnlyList<ChainCertificate> Chain { get; init; }

    /// <summary>The root was in the file too.</summary>
    public required bool EndsInRoot { get; init; }

    /// <summary>Object identifier of the key's kind.</summary>
    public required string KeyAlgorithm { get; init; }

    /// <summary>Otherwise ECDSA.</summary>
    public bool IsRsa => KeyAlgorithm == CertificateLoader.RsaOid;

    public string KeyName => IsRsa ? "RSA" : "ECDSA";

    /// <summary>What a TLS library goes by when it refuses a certificate: kind and size of the key, the way it was signed. Equal ones are one object.</summary>
    public required string Strength { get; init; }

    /// <summary>Subject alternative names, or the common name when that extension is missing. Lower case, without a trailing dot.</summary>
    public required IReadOnlyList<string> DnsNames { get; init; }

    public required DateTimeOffset NotBefore { get; init; }

    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>Where it was read from: the state of the files before and after.</summary>
    public required CertificateFiles Files { get; init; }

    /// <summary>Its owner wants clients to insist on a stapled OCSP answer (RFC 7633).</summary>
    public required bool MustStaple { get; init; }

    /// <summary>Made here, to take the place of one that ACME has not got yet.</summary>
    public bool IsStandIn { get; init; }

    /// <summary>SHA-256 of the leaf.</summary>
    public byte[] Fingerprint => SHA256.HashData(Certificate);

    /// <summary>Whether a version that is offered has a suite for its key: those of TLS 1.3 are for every key.</summary>
    public bool CanServe(RouteTlsConfig tls) => tls.Protocols.Contains(TlsVersion.Tls13) || tls.Ciphers is not { } ciphers || CipherString.Serves(ciphers, IsRsa);

    /// <summary>One that was made here and is in no file.</summary>
    /// <param name="id">Of the configuration, or what stands for it.</param>
    /// <param name="certificate">Signed by itself, with its private key, ECDSA; stays the caller's.</param>
    /// <param name="isStandIn">See <see cref="IsStandIn"/>.</param>
    public static CertificateEntry OfMemory(string id, X509Certificate2 certificate, bool isStandIn = false)
    {
        using var key = certificate.GetECDsaPrivateKey() ?? throw new ArgumentException("It has no ECDSA key.", nameof(certificate));
        return new CertificateEntry
        {
            Id = id,
            Certificate = certificate.RawData,
            PrivateKey = key.ExportPkcs8PrivateKey(),
            Chain = [],
            EndsInRoot = true,
            KeyAlgorithm = string.Intern(certificate.GetKeyAlgorithm()),
            Strength = string.Intern(ChainCertificate.StrengthOf(certificate)),
            MustStaple = false,
            DnsNames = CertificateLoader.DnsNamesOf(certificate),
            NotBefore = certificate.NotBefore.ToUniversalTime(),
            NotAfter = certificate.NotAfter.ToUniversalTime(),
            Files = default,
            IsStandIn = isStandIn,
        };
    }

    /// <summary>Whether clients would see no difference.</summary>
    public bool HasSameChain(CertificateEntry other) =>
        Certificate.AsSpan().SequenceEqual(other.Certificate)
        && Chain.Count == other.Chain.Count
        && Chain.Zip(other.Chain).All(pair => pair.First.Der.AsSpan().SequenceEqual(pair.Second.Der));

    /// <summary>Without its private key; the caller's.</summary>
    public X509Certificate2 CreatePublicLeaf() => X509CertificateLoader.LoadCertificate(Certificate);

    /// <summary>With its private key; the caller's.</summary>
    public X509Certificate2 CreateLeaf()
    {
        using var certificate = X509CertificateLoader.LoadCertificate(Certificate);
        var leaf = IsRsa
            ? CopyWithKey(RSA.Create(), certificate.CopyWithPrivateKey)
            : CopyWithKey(ECDsa.Create(), certificate.CopyWithPrivateKey);

        // SChannel cannot use a key that was never stored; a round through PKCS#12 stores it.
        return OperatingSystem.IsWindows() ? X509CertificateLoader.LoadPkcs12(leaf.Export(X509ContentType.Pkcs12), null) : leaf;
    }

    /// <summary>For SslStream. Takes about a millisecond.</summary>
    /// <param name="trust">Whose names clients are sent; null = nobody's.</param>
    public SslStreamCertificateContext CreateContext(SslCertificateTrust? trust) =>
        // Offline: a handshake must never wait for somebody else's web server.
        SslStreamCertificateContext.Create(CreateLeaf(), [.. Chain.Select(certificate => X509CertificateLoader.LoadCertificate(certificate.Der))], offline: true, trust);

    private X509Certificate2 CopyWithKey<T>(T key, Func<T, X509Certificate2> copy) where T : AsymmetricAlgorithm
    {
        using (key)
        {
            key.ImportPkcs8PrivateKey(PrivateKey, out _);
            return copy(key);
        }
    }
}
