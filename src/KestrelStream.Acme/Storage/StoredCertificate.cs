using System.Security.Cryptography.X509Certificates;
using KestrelStream.Acme.Issuing;
using KestrelStream.Configuration;

namespace KestrelStream.Acme.Storage;

/// <summary>The certificate that is kept for an id with its key.</summary>
/// <param name="Leaf">The certificate.</param>
/// <param name="Directory">URL of the directory of the authority that it is from; null = the file does not say.</param>
/// <param name="Names">It was ordered for; an authority may have added some. Null = the file does not say.</param>
internal sealed record StoredCertificate(X509Certificate2 Leaf, string? Directory, IReadOnlyList<string>? Names)
{
    public DateTimeOffset NotBefore => Leaf.NotBefore.ToUniversalTime();

    public DateTimeOffset NotAfter => Leaf.NotAfter.ToUniversalTime();

    /// <summary>Whether it is what the configuration asks for: these names and no others, the kind of key, the authority.</summary>
    public bool Fits(AcmeConfig config)
        => (Directory is null || Directory == config.Directory)
            && CertificateKey.IsOfKind(Leaf, config.KeyType)
            && CertificateChain.Covers(Leaf, config.Names)
            && (Names is null || Names.ToHashSet(StringComparer.OrdinalIgnoreCase).SetEquals(config.Names));
}
