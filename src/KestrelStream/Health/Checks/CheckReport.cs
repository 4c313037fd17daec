namespace KestrelStream.Health.Checks;

/// <summary>One check that has ended. Immutable.</summary>
/// <param name="Result">How.</param>
/// <param name="Detail">What the destination said last, or what went wrong; escaped and cut.</param>
/// <param name="Elapsed">From its start, connecting included.</param>
/// <param name="At">When it ended.</param>
/// <param name="CertificateExpires">End of the certificate that the destination showed; null = none was shown.</param>
internal sealed record CheckReport(CheckResult Result, string Detail, TimeSpan Elapsed, DateTimeOffset At, DateTimeOffset? CertificateExpires = null)
{
    /// <summary>Names that passthrough routes send to the destination and that it has no certificate for, as far as they were asked for; null = it shows none.</summary>
    public IReadOnlyList<string>? UncoveredNames { get; init; }
}
