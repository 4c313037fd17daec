namespace KestrelStream.Server.Demo;

/// <summary>Files of a self-signed certificate.</summary>
/// <param name="Path">PEM certificate.</param>
/// <param name="KeyPath">PEM key, readable by its owner only.</param>
/// <param name="Name">DNS name it is for.</param>
internal sealed record DemoCertificateOptions(string Path, string KeyPath, string Name);
