namespace KestrelStream.Configuration;

/// <summary>What is done with a client's TLS.</summary>
public enum TlsMode
{
    /// <summary>Bytes are passed on untouched; the destination holds the certificate.</summary>
    Passthrough,

    /// <summary>TLS ends here; the destination gets the plain bytes.</summary>
    Terminate,
}
