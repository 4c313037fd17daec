using KestrelStream.Model;
using KestrelStream.Tls;

namespace KestrelStream.Admin;

/// <summary>One of <c>/api/certificates</c>.</summary>
/// <param name="Id">Its key in the configuration.</param>
/// <param name="Certificates">Number of those that are served; other than one only of a folder, and none while ACME has got none.</param>
/// <param name="NotAfter">When the first of them ends; null = there is none.</param>
/// <param name="Taken">How often changed files were taken since start.</param>
/// <param name="RefusedTotal">How often they were not.</param>
/// <param name="Unreadable">Why the folder cannot be read; null = it can, or there is none.</param>
/// <param name="Names">Server names that they are good for, the first 20.</param>
/// <param name="NotBefore">When the first of them to end began.</param>
/// <param name="Refused">Files that are not served now, at most <see cref="MostRefused"/>.</param>
internal sealed record ApiCertificate(
    string Id, int Certificates, DateTimeOffset? NotAfter, long Taken, long RefusedTotal, string? Unreadable, IReadOnlyList<string> Names, DateTimeOffset? NotBefore, IReadOnlyList<RefusedCertificate> Refused)
{
    private const int MostRefused = 100;

    public static ApiCertificate Of(CertificateStatus status) => new(
        status.Id, status.Count, status.FirstToEnd, status.Changes.Taken, status.Changes.Refused, status.WhyUnreadable, status.Names, status.NotBefore, [.. status.Refused.Take(MostRefused)]);
}
