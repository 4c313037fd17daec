namespace KestrelStream.Health.Checks.Probes;

/// <summary>A TLS handshake with a certificate that is good.</summary>
internal sealed class TlsProbe(ProbeTls tls) : IHealthProbe
{
    public async ValueTask<ProbeResult> ProbeAsync(ProbeConnection connection)
        => await connection.StartTlsAsync(tls) ?? new ProbeResult(CheckResult.Healthy, $"handshake done, {connection.TlsVersion}");
}
