namespace KestrelStream.Admin;

/// <summary>One of <c>/api/certificates</c>.</summary>
/// <param name="Id">Its key in the configuration.</param>
/// <param name="Names">Server names that it is good for.</param>
/// <param name="NotBefore">Its begin.</param>
/// <param name="NotAfter">Its end.</param>
internal sealed record ApiCertificate(string Id, IReadOnlyList<string> Names, DateTimeOffset? NotBefore, DateTimeOffset NotAfter);
