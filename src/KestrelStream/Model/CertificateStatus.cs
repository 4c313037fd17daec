using KestrelStream.Tls;

namespace KestrelStream.Model;

/// <summary>What is served of a certificate of the configuration, or of a folder of them.</summary>
/// <param name="Id">Its key in the configuration.</param>
/// <param name="FirstToEnd">Of the leaves that are served now, which renewed files may have replaced since start; null = there is none.</param>
internal sealed record CertificateStatus(string Id, DateTimeOffset? FirstToEnd)
{
    /// <summary>Certificates that are served; other than one only of a folder, and none while ACME has got none.</summary>
    public int Count { get; init; } = 1;

    /// <summary>How long before <see cref="FirstToEnd"/> it is worth a warning.</summary>
    public TimeSpan Soon { get; init; } = CertificateState.UsualSoon;

    /// <summary>Files that are not.</summary>
    public IReadOnlyList<RefusedCertificate> Refused { get; init; } = [];

    /// <summary>Why the folder cannot be read; null = it can, or there is none.</summary>
    public string? WhyUnreadable { get; init; }

    /// <summary>How often new files were taken, and were not, since start.</summary>
    public (long Taken, long Refused) Changes { get; init; }

    public static CertificateStatus Of(CertificateState state) => new(state.Id, state.FirstToEnd)
    {
        Count = state.Entries.Count,
        Soon = state.Soon,
        Refused = state.Refused,
        WhyUnreadable = state.WhyUnreadable,
        Changes = state.Changes,
    };
}
