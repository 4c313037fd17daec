using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.Tls.Upstream;

/// <summary>Whom a cluster trusts to issue its destinations' certificates: what the file held when it was read. Immutable; thread-safe.</summary>
/// <param name="certificates">At least one of them a root.</param>
internal sealed class TrustedAuthorities(X509Certificate2Collection certificates)
{
    public X509Certificate2Collection Certificates { get; } = certificates;

    /// <summary>Whether the files held the same.</summary>
    public bool IsSameAs(TrustedAuthorities? other)
        => other is not null
            && Certificates.Count == other.Certificates.Count
            && Certificates.Zip(other.Certificates).All(pair => pair.First.RawDataMemory.Span.SequenceEqual(pair.Second.RawDataMemory.Span));
}
