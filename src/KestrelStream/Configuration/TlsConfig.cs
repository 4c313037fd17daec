namespace KestrelStream.Configuration;

/// <summary>What is said of TLS once for all routes.</summary>
public sealed record TlsConfig
{
    /// <summary>What ends the TLS of clients. Default <see cref="TlsEngineKind.Auto"/>. Read at start only.</summary>
    public TlsEngineKind Engine { get; init; } = TlsEngineKind.Auto;
}
