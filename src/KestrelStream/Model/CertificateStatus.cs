using KestrelStream.Tls;

namespace KestrelStream.Model;

/// <summary>What is served of a certificate of the configuration, or of a folder of them.</summary>
/// <param name="Id">Its key in the configuration.</param>
/// <param name="FirstToEnd">Of the leaves that are served now, which renewed files may have replaced since start; null = there is none.</param>
internal sealed record CertificateStatus(string Id, DateTimeOffset? FirstToEnd)
{
    private const int MostNames = 20;

    /// <summary>Certificates that are served; other than one only of a folder, and none while ACME has got none.</summary>
    public int Count { get; init; } = 1;

    /// <summary>How long before <see cref="FirstToEnd"/> it is worth a warning.</summary>
    public TimeSpan Soon { get; init; } = CertificateState.UsualSoon;

    /// <summary>Server names that they are good for, those of the first ones.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>When the first of them to end began; null = there is none.</summary>
    public DateTimeOffset? NotBefore { get; init; }

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
        Names = [.. state.Entries.SelectMany(entry => entry.DnsNames).Take(MostNames)],
        NotBefore = state.Entries.MinBy(entry => entry.NotAfter)?.NotBefore,
        Refused = state.Refused,
        WhyUnreadable = state.WhyUnreadable,
        Changes = state.Changes,
    };
}
