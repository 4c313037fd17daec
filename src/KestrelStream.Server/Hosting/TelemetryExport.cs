namespace KestrelStream.Server.Hosting;

/// <summary>
/// Whether metrics and traces are to be sent by OTLP: the standard variables <c>OTEL_*</c> say. Without them nothing of OpenTelemetry is loaded, so it
/// costs neither memory nor time at start.
/// </summary>
internal static class TelemetryExport
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Null = nobody asks. Disposing sends what is left.</summary>
    public static IDisposable? StartIfAsked()
    {
        var metrics = IsAsked("METRICS");
        var traces = IsAsked("TRACES");
        return metrics || traces ? new TelemetryPipeline(metrics, traces) : null;
    }

    /// <summary>By an endpoint for both or for this one, or by the exporter's name; <c>none</c> and <c>OTEL_SDK_DISABLED</c> win.</summary>
    private static bool IsAsked(string signal)
    {
        var exporter = Read($"OTEL_{signal}_EXPORTER");
        return !Read("OTEL_SDK_DISABLED").Equals("true", StringComparison.OrdinalIgnoreCase)
            && (exporter.Length == 0
                ? Read(Endpoint).Length > 0 || Read($"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT").Length > 0
                : exporter.Split(',').Any(name => name.Trim().Equals("otlp", StringComparison.OrdinalIgnoreCase)));
    }

    private static string Read(string variable) => Environment.GetEnvironmentVariable(variable) ?? "";
}
