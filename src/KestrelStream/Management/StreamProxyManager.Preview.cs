using KestrelStream.Configuration;
using KestrelStream.Health.Checks;
using KestrelStream.Model;
using KestrelStream.Tls;
using KestrelStream.Tls.OpenSsl;

namespace KestrelStream.Management;

/// <content>What a configuration comes to, without running it.</content>
internal sealed partial class StreamProxyManager
{
    public ConfigCheckResult Check()
    {
        var errors = new List<ConfigError>();
        var (config, prepared, _) = Compile(errors, out var known);
        errors.AddRange(ConfigurationChecks.CheckAddresses(config));
        CheckAuthorities.Load(config, provider.BasePath, errors);
        errors.AddRange(CheckAccessLog(config).Where(error => !known.Any(other => other.Path == error.Path)));
        return new ConfigCheckResult(errors, [.. CertificateReview.Of(config, prepared, time.GetUtcNow())]);
    }

    /// <summary>What a start would bring into force, without binding, checking or looking up anything. Null = <paramref name="errors"/> has what is wrong.</summary>
    public ProxySnapshot? Preview(List<ConfigError> errors)
    {
        var (config, _, policies) = Compile(errors, out _);
        return policies is null || errors.Count > 0
            ? null
            : SnapshotBuilder.Build(config, Generation + 1, time.GetUtcNow(), clusters.Prepare(config.Clusters).Clusters, (id, _) => policies[id]);
    }

    /// <summary>Reads and loads everything that sessions go by.</summary>
    /// <param name="errors">Gets what is wrong.</param>
    /// <param name="read">What of that was found by reading alone.</param>
    private (StreamProxyConfig Config, CertificateSet Certificates, RoutePolicies? Policies) Compile(List<ConfigError> errors, out IReadOnlyList<ConfigError> read)
    {
        var source = checks.Validate(provider.GetConfig());
        read = source.Errors;
        errors.AddRange(read);
        var prepared = certificates.Prepare(source.Config.Certificates, provider.BasePath);
        errors.AddRange(prepared.Errors.Select(error => ToConfigError(error, source.Config)));
        var trusts = ClientTrusts.Load(source.Config, provider.BasePath, errors);
        var ticketChange = ticketKeys.Prepare(source.Config, provider.BasePath, errors);
        if (errors.Count > 0)
        {
            return (source.Config, prepared, null);
        }

        var openSsl = new Lazy<OpenSslLibrary?>(() => tlsEngines.WouldSelect(source.Config));
        var policies = RoutePolicies.Compile(source.Config, prepared, new(trusts, ticketChange, stapler, provider.BasePath), certificates, openSsl, _ => null);
        errors.AddRange(policies.Errors);
        return (source.Config, prepared, policies);
    }
}
