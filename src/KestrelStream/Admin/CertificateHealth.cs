using System.Text.Json.Serialization;
using KestrelStream.Model;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KestrelStream.Admin;

/// <summary>Health of a certificate that a route uses, or of a folder of them. Never Unhealthy: another one is for people to bring, not for a load balancer.</summary>
/// <param name="Status">Degraded = it ends soon or has ended, files of it are refused, or there is none.</param>
/// <param name="NotAfter">When it ends; of a folder the first to end. Null = there is none.</param>
/// <param name="Served">Certificates that are served.</param>
/// <param name="Refused">Pairs of files that are not.</param>
internal sealed record CertificateHealth(
    HealthStatus Status,
    DateTimeOffset? NotAfter,
    int Served,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)] int Refused = 0)
{
    public static CertificateHealth Of(CertificateStatus certificate, DateTimeOffset now)
    {
        var isGood = certificate.FirstToEnd - now >= certificate.Soon && certificate.Refused.Count == 0 && certificate.WhyUnreadable is null;
        return new CertificateHealth(isGood ? HealthStatus.Healthy : HealthStatus.Degraded, certificate.FirstToEnd, certificate.Count, certificate.Refused.Count);
    }

    /// <summary>In a sentence.</summary>
    public string Describe()
        => NotAfter is { } end ? FormattableString.Invariant($"{end:u} ends the first of {Served}, {Refused} refused") : $"none is served, {Refused} refused";
}
