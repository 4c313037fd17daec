namespace KestrelStream.Tls;

/// <summary>
/// The certificates of a config that is being applied, loaded but not yet in use: <see cref="CertificateStore.Prepare"/> made it,
/// <see cref="CertificateStore.Commit"/> puts it in force; to drop it undoes nothing. Immutable.
/// </summary>
internal sealed class CertificateSet
{
    /// <summary>By id; those with an error are missing.</summary>
    public required IReadOnlyDictionary<string, CertificateState> States { get; init; }

    /// <summary>Any error means that the set must not be committed.</summary>
    public required IReadOnlyList<CertificateError> Errors { get; init; }

    /// <summary>What was read for this set: of new certificates, and of running ones whose files have changed since.</summary>
    public required IReadOnlyList<(CertificateState State, CertificateLoadResult Result)> Loaded { get; init; }
}
