namespace KestrelStream.Configuration;

/// <summary>What ends the TLS of clients.</summary>
public enum TlsEngineKind
{
    /// <summary>OpenSsl where it can run, else SslStream.</summary>
    Auto,

    /// <summary>The OpenSSL 3 of the system, on the event loop; only with the EventLoop engine.</summary>
    OpenSsl,

    /// <summary><see cref="System.Net.Security.SslStream"/>; every engine and operating system.</summary>
    SslStream,
}
