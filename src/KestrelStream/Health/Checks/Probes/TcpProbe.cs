namespace KestrelStream.Health.Checks.Probes;

/// <summary>The connection is the answer.</summary>
internal sealed class TcpProbe : IHealthProbe
{
    private static readonly ProbeResult Connected = new(CheckResult.Healthy, "connected");

    public ValueTask<ProbeResult> ProbeAsync(ProbeConnection connection) => ValueTask.FromResult(Connected);
}
