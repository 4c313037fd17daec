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

    /// <summary>What does not keep the set from being used. Of folders that are in force already it is in the log.</summary>
    public required IReadOnlyList<CertificateError> Warnings { get; init; }

    /// <summary>States that are new with this set.</summary>
    public required IReadOnlyList<CertificateState> New { get; init; }

    /// <summary>What was read for this set of running certificates whose files have changed since.</summary>
    public required IReadOnlyDictionary<CertificateState, CertificateEntry> Changed { get; init; }

    /// <summary>What a state serves once the set is in force.</summary>
    public IReadOnlyList<CertificateEntry> EntriesOf(CertificateState state) => Changed.TryGetValue(state, out var entry) ? [entry] : state.Entries;
}
