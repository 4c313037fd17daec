namespace KestrelStream.Model;

/// <summary>A loaded certificate, and when it ends.</summary>
/// <param name="Id">Its key in the configuration.</param>
/// <param name="NotAfter">Of the leaf that is served now, which a renewed file may have replaced since start.</param>
internal readonly record struct CertificateExpiry(string Id, DateTimeOffset NotAfter)
{
    /// <summary>When it begins to be good.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>Server names that it is good for.</summary>
    public IReadOnlyList<string> Names { get => field ?? []; init; }
}
