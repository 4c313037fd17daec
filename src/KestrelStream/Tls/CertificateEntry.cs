using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.Tls;

/// <summary>A certificate as it was loaded. Immutable; thread-safe. Not disposed when it is replaced: handshakes may still be using it.</summary>
internal sealed class CertificateEntry
{
    public required string Id { get; init; }

    /// <summary>With its private key.</summary>
    public required X509Certificate2 Leaf { get; init; }

    /// <summary>What the file holds beside the leaf, in its order. What is sent of it is decided by <see cref="Context"/>.</summary>
    public required IReadOnlyList<X509Certificate2> Intermediates { get; init; }

    /// <summary>
    /// The leaf with the chain that is sent. One for all policies: to build one costs about a millisecond, and it is not what keeps their sessions
    /// apart (see <see cref="TlsPolicy"/>).
    /// </summary>
    public required SslStreamCertificateContext Context { get; init; }

    /// <summary>Subject alternative names, or the common name when that extension is missing. Lower case, without a trailing dot.</summary>
    public required IReadOnlyList<string> DnsNames { get; init; }

    public required DateTimeOffset NotBefore { get; init; }

    public required DateTimeOffset NotAfter { get; init; }

    /// <summary>Where it was read from: the state of the files before and after.</summary>
    public required CertificateFiles Files { get; init; }

    /// <summary>Takes the place of one that is still to be got.</summary>
    public bool IsStandIn { get; init; }

    /// <summary>Is not to be shown to clients: they are refused.</summary>
    public bool IsRefused { get; init; }

    /// <summary>Whether clients would see a difference.</summary>
    public bool HasSameChain(CertificateEntry other) =>
        Leaf.RawDataMemory.Span.SequenceEqual(other.Leaf.RawDataMemory.Span)
        && Intermediates.Count == other.Intermediates.Count
        && Intermediates.Zip(other.Intermediates).All(pair => pair.First.RawDataMemory.Span.SequenceEqual(pair.Second.RawDataMemory.Span));
}
