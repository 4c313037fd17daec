namespace KestrelStream.Tls;

/// <summary>A certificate over the changes of its files: what is served, and what is known of files that differ from it. Belongs to the store's watch; not thread-safe.</summary>
/// <param name="paths">Where its files are.</param>
/// <param name="entry">What is served; null = its files have never been good.</param>
internal sealed class CertificateSlot(CertificatePaths paths, CertificateEntry? entry)
{
    public CertificatePaths Paths { get; set; } = paths;

    public CertificateEntry? Entry { get; set; } = entry;

    /// <summary>Of files that are not those of <see cref="Entry"/>: their state at the last look. Null = they are.</summary>
    public CertificateFiles? Seen { get; set; }

    /// <summary>The state that was refused last; null = none since the entry was loaded.</summary>
    public CertificateFiles? Refused { get; set; }

    /// <summary>Why.</summary>
    public CertificateError? Reason { get; set; }

    /// <summary>When the refused state is looked at again.</summary>
    public DateTimeOffset RetryAt { get; set; }

    /// <summary>What was refused and is no certificate to show is no mistake.</summary>
    public bool IsRefused => Refused is not null && !Reason!.IsHalf;

    public void Accept(CertificateEntry entry)
    {
        Entry = entry;
        Forget();
    }

    public void Refuse(CertificateFiles files, CertificateError reason, DateTimeOffset retryAt) => (Seen, Refused, Reason, RetryAt) = (files, files, reason, retryAt);

    /// <summary>The files are those of the entry again.</summary>
    public void Forget() => (Seen, Refused, Reason) = (null, null, null);
}
