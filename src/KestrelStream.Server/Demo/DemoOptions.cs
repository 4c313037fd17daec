using Microsoft.Extensions.Configuration;

namespace KestrelStream.Server.Demo;

/// <summary>Section <c>Demo</c>: what a first run starts besides the proxy, so that there is something to look at. A production file leaves it out.</summary>
internal sealed record DemoOptions
{
    /// <summary>Backends that speak TLS with a certificate of their own: id → address.</summary>
    public required IReadOnlyDictionary<string, string> TlsBackends { get; init; }

    /// <summary>Backends that speak plain HTTP: id → address.</summary>
    public required IReadOnlyDictionary<string, string> PlainBackends { get; init; }

    /// <summary>Self-signed pair that is made when missing; null = none. Relative to the config file.</summary>
    public required DemoCertificateOptions? Certificate { get; init; }

    /// <summary>Commands to try, printed at start.</summary>
    public required IReadOnlyList<string> TryLines { get; init; }

    public static DemoOptions? From(IConfiguration root)
    {
        var section = root.GetSection("Demo");
        if (!section.Exists())
        {
            return null;
        }

        var certificate = section.GetSection("Certificate");
        return new DemoOptions
        {
            TlsBackends = Map(section.GetSection("TlsBackends")),
            PlainBackends = Map(section.GetSection("PlainBackends")),
            Certificate = certificate.Exists()
                ? new DemoCertificateOptions(certificate["Path"] ?? "", certificate["KeyPath"] ?? "", certificate["Name"] ?? "localhost")
                : null,
            TryLines = [.. section.GetSection("Try").GetChildren().Select(line => line.Value ?? "")],
        };
    }

    private static Dictionary<string, string> Map(IConfigurationSection section)
        => section.GetChildren().ToDictionary(child => child.Key, child => child.Value ?? "");
}
