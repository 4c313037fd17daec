using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Health.Checks.Probes;
using KestrelStream.ProxyProtocol;

namespace KestrelStream.Health.Checks;

/// <summary>How one destination is checked, compiled. Immutable.</summary>
internal sealed class CheckSettings
{
    private readonly string? _host;
    private readonly X509Certificate2Collection? _authorities;

    public CheckSettings(ActiveHealthCheckConfig config, string? host, ProxyAddress address, IHealthProbe probe, X509Certificate2Collection? authorities = null, CertificateCoverage? coverage = null, ReadOnlyMemory<byte> proxyHeader = default)
    {
        Config = config;
        _host = host;
        Address = address;
        Probe = probe;
        _authorities = authorities;
        Coverage = coverage;
        ProxyHeader = proxyHeader;
    }

    public ActiveHealthCheckConfig Config { get; }

    /// <summary>What is checked.</summary>
    public ProxyAddress Address { get; }

    public IHealthProbe Probe { get; }

    /// <summary>Names that its certificates should have; null = none, or the check sees no certificate.</summary>
    public CertificateCoverage? Coverage { get; }

    /// <summary>What the connection begins with where sessions' do: that nobody else is behind it. Empty = nothing.</summary>
    public ReadOnlyMemory<byte> ProxyHeader { get; }

    /// <summary>Compiles a validated config.</summary>
    public static CheckSettings Create(
        ActiveHealthCheckConfig config, DestinationConfig destination, X509Certificate2Collection? authorities, IReadOnlyList<string>? passedNames = null, ClusterConfig? cluster = null)
    {
        var coverage = config.Kind is HealthCheckKind.Tls or HealthCheckKind.Https ? CertificateCoverage.Of(passedNames ?? []) : null;

        // Another port or address than the sessions' is another server, made for checks.
        var header = cluster is not null && config is { Address: null, Port: null } && destination.Health is null ? OutgoingHeader.OfOurselves(cluster) : default;
        return new(config, destination.Host, CheckAddress.Of(config, destination)!, CreateProbe(config, destination, authorities, coverage), authorities, coverage, header);
    }

    /// <summary>Whether a reload has changed nothing here.</summary>
    public bool IsSame(CheckSettings other)
        => Address == other.Address
            && _host == other._host
            && Config with { Steps = [] } == other.Config with { Steps = Array.Empty<HealthCheckStep>() }
            && Config.Steps.SequenceEqual(other.Config.Steps)
            && (Coverage is null ? other.Coverage is null : Coverage.IsSame(other.Coverage))
            && ProxyHeader.Span.SequenceEqual(other.ProxyHeader.Span)
            && (_authorities ?? []).SequenceEqual(other._authorities ?? []);

    private static IHealthProbe CreateProbe(ActiveHealthCheckConfig config, DestinationConfig destination, X509Certificate2Collection? authorities, CertificateCoverage? coverage)
    {
        ProbeTls Tls() => new(CheckAddress.ServerName(config, destination), config.Verify, authorities, coverage is null ? null : coverage.NoteShown);

        return config.Kind switch
        {
            HealthCheckKind.Tls => new TlsProbe(Tls()),
            HealthCheckKind.Http => Http(null),
            HealthCheckKind.Https => Http(Tls()),
            HealthCheckKind.SendExpect => new SendExpectProbe([.. config.Steps.Select(CreateStep)]),
            HealthCheckKind.PostgreSql => new PostgreSqlProbe(config.User ?? "postgres", config.Database),
            HealthCheckKind.MySql => new MySqlProbe(config.User ?? "kestrelstream"),
            HealthCheckKind.Redis => new RedisProbe(config.User, config.Password),
            HealthCheckKind.Smtp => new SmtpProbe(),
            _ => new TcpProbe(),
        };

        HttpProbe Http(ProbeTls? tls)
            => StatusRanges.TryParse(config.ExpectStatus, out var statuses)
                ? new HttpProbe(config.Method, config.Path, CheckAddress.HttpHost(config, destination), statuses!, config.ExpectBody, tls)
                : throw new ArgumentException("The configuration was not validated.", nameof(config));
    }

    private static SendExpectProbe.Step CreateStep(HealthCheckStep step)
    {
        if (step.Send is { } send && EscapedText.TryParse(send, out var bytes, out _))
        {
            return new SendExpectProbe.Step(bytes, Expect: null);
        }

        return step.Expect is { } expect && ExpectPattern.TryCreate(expect, out var pattern, out _)
            ? new SendExpectProbe.Step(default, pattern)
            : throw new ArgumentException("The configuration was not validated.", nameof(step));
    }
}
