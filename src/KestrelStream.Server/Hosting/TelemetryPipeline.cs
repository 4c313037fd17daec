using System.Reflection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace KestrelStream.Server.Hosting;

/// <summary>OpenTelemetry's SDK with its OTLP exporters, which take everything else from their variables. The only type that touches them: whoever does not make one does not load them.</summary>
internal sealed class TelemetryPipeline : IDisposable
{
    private readonly MeterProvider? _metrics;
    private readonly TracerProvider? _traces;

    public TelemetryPipeline(bool metrics, bool traces)
    {
        if (metrics)
        {
            // System.Runtime: the process's own figures, which .NET counts by itself.
            _metrics = Sdk.CreateMeterProviderBuilder().ConfigureResource(Describe).AddMeter("KestrelStream", "System.Runtime").AddOtlpExporter().Build();
        }

        if (traces)
        {
            _traces = Sdk.CreateTracerProviderBuilder().ConfigureResource(Describe).AddSource("KestrelStream").AddOtlpExporter().Build();
        }
    }

    public void Dispose()
    {
        _traces?.Dispose();
        _metrics?.Dispose();
    }

    /// <summary>Unless the variables name the service.</summary>
    private static void Describe(ResourceBuilder resource)
    {
        var isNamed = Environment.GetEnvironmentVariable("OTEL_SERVICE_NAME") is { Length: > 0 }
            || (Environment.GetEnvironmentVariable("OTEL_RESOURCE_ATTRIBUTES") ?? "").Contains("service.name=", StringComparison.Ordinal);
        if (!isNamed)
        {
            resource.AddService("kestrelstream", serviceVersion: Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion);
        }
    }
}
