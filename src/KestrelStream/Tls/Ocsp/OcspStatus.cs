namespace KestrelStream.Tls.Ocsp;

/// <summary>What became of a question to an OCSP responder, or of a file with its answer.</summary>
internal enum OcspStatus
{
    /// <summary>Not revoked.</summary>
    Good,

    Revoked,

    /// <summary>The responder does not know the certificate.</summary>
    Unknown,

    /// <summary>There was no answer, or none that could be trusted.</summary>
    Failed,
}
