using System.Security.Cryptography.X509Certificates;
using KestrelStream.Configuration;
using KestrelStream.Health.Checks.Probes;
using KestrelStream.ProxyProtocol;
using KestrelStream.Tls.Upstream;

namespace KestrelStream.Health.Checks;

/// <summary>How one destination is checked, compiled. Immutable.</summary>
internal sealed class CheckSettings
{
    private readonly string? _host;
    private readonly X509Certificate2Collection? _authorities;
    private readonly UpstreamTlsPolicy? _upstream;

    public CheckSettings(ActiveHealthCheckConfig config, string? host, ProxyAddress address, IHealthProbe probe, X509Certificate2Collection? authorities = null, CertificateCoverage? coverage = null, ReadOnlyMemory<byte> proxyHeader = default, UpstreamTlsPolicy? upstream = null)
    {
        _upstream = upstream;
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

    /// <summary>Where sessions' connections go on with TLS, and the probe itself does not; null = no.</summary>
    public ProbeTls? Tls { get; private init; }

    /// <summary>Compiles a validated config.</summary>
    public static CheckSettings Create(
        ActiveHealthCheckConfig config, DestinationConfig destination, X509Certificate2Collection? authorities, IReadOnlyList<string>? passedNames = null, ClusterConfig? cluster = null, UpstreamTlsPolicy? upstream = null)
    {
        var isOwn = CheckAddress.IsOwn(config, destination);
        upstream = isOwn ? upstream : null;
        var coverage = config.Kind is HealthCheckKind.Tls or HealthCheckKind.Https ? CertificateCoverage.Of(passedNames ?? []) : null;
        var header = cluster is not null && isOwn ? OutgoingHeader.OfOurselves(cluster) : default;
        var address = CheckAddress.Of(config, destination)!;
        var tls = upstream is null
            ? new ProbeTls(CheckAddress.ServerName(config, destination), config.Verify, authorities, coverage is null ? null : coverage.NoteShown)
            : ProbeTls.AsSessions(upstream, NameOf(upstream, config, destination, address), config, authorities, coverage is null ? null : coverage.NoteShown);

        // MySQL's TLS begins behind the greeting, which is all that the check wants.
        var beginsWithTls = config.Kind is not (HealthCheckKind.Tcp or HealthCheckKind.Tls or HealthCheckKind.Https or HealthCheckKind.MySql);
        return new(config, destination.Host, address, CreateProbe(config, destination, tls), authorities, coverage, header, upstream)
        {
            Tls = upstream is not null && beginsWithTls ? tls : null,
        };
    }

    /// <summary>Whether a reload has changed nothing here.</summary>
    public bool IsSame(CheckSettings other)
        => Address == other.Address
            && _host == other._host
            && Config with { Steps = [] } == other.Config with { Steps = Array.Empty<HealthCheckStep>() }
            && Config.Steps.SequenceEqual(other.Config.Steps)
            && (Coverage is null ? other.Coverage is null : Coverage.IsSame(other.Coverage))
            && ProxyHeader.Span.SequenceEqual(other.ProxyHeader.Span)
            && _upstream == other._upstream
            && (_authorities ?? []).SequenceEqual(other._authorities ?? []);

    /// <summary>There is no client whose name could be passed on.</summary>
    private static UpstreamName NameOf(UpstreamTlsPolicy upstream, ActiveHealthCheckConfig config, DestinationConfig destination, ProxyAddress address)
        => config.ServerName is { } name ? UpstreamName.Parse(name) : UpstreamName.Of(upstream.Config, destination, address, hostName: null, clientName: null);

    private static IHealthProbe CreateProbe(ActiveHealthCheckConfig config, DestinationConfig destination, ProbeTls tls)
    {
        return config.Kind switch
        {
            HealthCheckKind.Tls => new TlsProbe(tls),
            HealthCheckKind.Http => Http(null),
            HealthCheckKind.Https => Http(tls),
            HealthCheckKind.SendExpect => new SendExpectProbe([.. config.Steps.Select(CreateStep)]),
            HealthCheckKind.PostgreSql => new PostgreSqlProbe(config.User ?? "postgres", config.Database),
            HealthCheckKind.MySql => new MySqlProbe(config.User ?? "kestrelstream"),
            HealthCheckKind.Redis => new RedisProbe(config.User, config.Password),
            HealthCheckKind.Smtp => new SmtpProbe(),
            _ => new TcpProbe(),
        };

        HttpProbe Http(ProbeTls? over)
            => StatusRanges.TryParse(config.ExpectStatus, out var statuses)
                ? new HttpProbe(config.Method, config.Path, CheckAddress.HttpHost(config, destination), statuses!, config.ExpectBody, over)
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
