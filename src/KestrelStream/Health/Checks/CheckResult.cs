namespace KestrelStream.Health.Checks;

/// <summary>How a check ended: well, or at which layer it failed. Names are public surface: metric label and API show them in lower case.</summary>
internal enum CheckResult : byte
{
    Healthy,

    /// <summary>No connection: refused, unreachable, the name does not resolve.</summary>
    Connect,

    /// <summary>The handshake failed, or the certificate is not trusted.</summary>
    Tls,

    /// <summary>The answer is not the expected one, or the connection ended before it.</summary>
    Protocol,

    /// <summary>It took longer than the check's Timeout.</summary>
    Timeout,

    /// <summary>The check itself broke down: a defect of the proxy.</summary>
    Error,
}
