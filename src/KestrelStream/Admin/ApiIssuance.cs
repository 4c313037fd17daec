using KestrelStream.Tls;

namespace KestrelStream.Admin;

/// <summary>One of <c>/api/acme</c>.</summary>
/// <param name="Certificate">Its key in the configuration.</param>
/// <param name="State">What is done now.</param>
/// <param name="Next">When something is done next: a renewal, or another attempt; null = now.</param>
/// <param name="LastError">Why the last attempt failed; null = it did not, or there was none.</param>
/// <param name="Issued">Certificates got since start.</param>
/// <param name="Failed">Attempts that failed since start.</param>
internal sealed record ApiIssuance(string Certificate, IssuanceState State, DateTimeOffset? Next, string? LastError, long Issued, long Failed);
