using KestrelStream.Health.Checks;

namespace KestrelStream.Admin;

/// <summary>The last active check of a destination.</summary>
/// <param name="Result"><c>healthy</c>, or the layer that failed: <c>connect</c>, <c>tls</c>, <c>protocol</c>, <c>timeout</c>, <c>error</c>.</param>
/// <param name="Detail">What the destination said, or what went wrong.</param>
/// <param name="Ms">How long it took.</param>
/// <param name="At">When it ended.</param>
/// <param name="CertificateExpires">End of the certificate that the destination showed; null = none was seen.</param>
/// <param name="UncoveredNames">Names that passthrough routes send to the destination and that it has no certificate for; null = nothing is known of that.</param>
internal sealed record ApiCheck(string Result, string Detail, double Ms, DateTimeOffset At, DateTimeOffset? CertificateExpires, IReadOnlyList<string>? UncoveredNames)
{
    public static ApiCheck? Of(CheckReport? report) => report is null ? null : new ApiCheck(
        CheckResults.NameOf(report.Result), report.Detail, Math.Round(report.Elapsed.TotalMilliseconds, 3), report.At, report.CertificateExpires, report.UncoveredNames);
}
