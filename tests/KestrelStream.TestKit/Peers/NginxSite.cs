namespace KestrelStream.TestKit.Peers;

/// <summary>One <c>server</c> of an nginx.</summary>
/// <param name="Name">Stands in every answer.</param>
/// <param name="Certificate">Null = plain HTTP.</param>
/// <param name="Folder">Files that it serves below <c>/files/</c>; null = none.</param>
public sealed record NginxSite(string Name, TestCertificate? Certificate = null, string? Folder = null);
