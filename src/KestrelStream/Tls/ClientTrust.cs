using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.Tls;

/// <summary>Whom a route trusts to issue its clients' certificates: what the files held when they were read. Immutable; thread-safe.</summary>
internal sealed class ClientTrust
{
    private readonly byte[] _digest;

    /// <param name="certificates">At least one of them a root.</param>
    /// <param name="crls">DER; null = revocation is not looked at.</param>
    public ClientTrust(X509Certificate2Collection certificates, IReadOnlyList<byte[]>? crls)
    {
        Certificates = certificates;
        Crls = crls;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var certificate in certificates)
        {
            hash.AppendData(SHA256.HashData(certificate.RawDataMemory.Span));
        }

        // As long as a digest, and none: no list of certificates can look like one with revocation lists behind it.
        hash.AppendData(new byte[SHA256.HashSizeInBytes]);
        foreach (var crl in crls ?? [])
        {
            hash.AppendData(SHA256.HashData(crl));
        }

        hash.AppendData([crls is null ? (byte)0 : (byte)1]);
        _digest = hash.GetHashAndReset();
    }

    public X509Certificate2Collection Certificates { get; }

    /// <summary>DER; null = revocation is not looked at.</summary>
    public IReadOnlyList<byte[]>? Crls { get; }

    /// <summary>Of what the files held.</summary>
    public ReadOnlySpan<byte> Digest => _digest;

    /// <summary>Whether the files held the same.</summary>
    public bool IsSameAs(ClientTrust? other) => other is not null && _digest.AsSpan().SequenceEqual(other._digest);
}
