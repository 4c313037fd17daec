namespace KestrelStream.Tls;

/// <summary>
/// Which of a folder's certificates is shown when several are for one name: ECDSA before RSA, which both are offered where the TLS library can; of one kind
/// the one that is valid longest, if it is valid yet; the path decides between equals, so that every start comes to the same end.
/// </summary>
/// <param name="now">What is valid yet.</param>
internal sealed class CertificateOrder(DateTimeOffset now) : IComparer<CertificateEntry>
{
    public int Compare(CertificateEntry? x, CertificateEntry? y)
    {
        var order = x!.IsRsa.CompareTo(y!.IsRsa);
        order = order != 0 ? order : (x!.NotBefore > now).CompareTo(y!.NotBefore > now);
        order = order != 0 ? order : y!.NotAfter.CompareTo(x!.NotAfter);
        return order != 0 ? order : string.CompareOrdinal(x!.Files.Certificate.Target, y!.Files.Certificate.Target);
    }
}
