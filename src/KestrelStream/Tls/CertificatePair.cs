namespace KestrelStream.Tls;

/// <summary>The certificates for one name. Two of the same are the same object, as long as both are in force.</summary>
/// <param name="leader">What is shown; where only one can be, it is this.</param>
/// <param name="partner">For clients that cannot use a key of the leader's kind; null = none.</param>
internal sealed class CertificatePair(CertificateEntry leader, CertificateEntry? partner)
{
    public CertificateEntry Leader => leader;

    public CertificateEntry? Partner => partner;

    public IReadOnlyList<CertificateEntry> Entries { get; } = partner is null ? [leader] : [leader, partner];
}
