using KestrelStream.Access;
using KestrelStream.Configuration;
using KestrelStream.Health.Checks;
using KestrelStream.Model;
using KestrelStream.Tls;
using KestrelStream.Tls.OpenSsl;
using KestrelStream.Tls.Upstream;

namespace KestrelStream.Management;

/// <content>What a configuration comes to, without running it.</content>
internal sealed partial class StreamProxyManager
{
    public ConfigCheckResult Check()
    {
        var errors = new List<ConfigError>();
        var compiled = Compile(errors, out var known);
        errors.AddRange(ConfigurationChecks.CheckAddresses(compiled.Config));
        CheckAuthorities.Load(compiled.Config, provider.BasePath, errors);
        errors.AddRange(CheckSources(compiled.Config));
        errors.AddRange(CheckAccessLog(compiled.Config).Where(error => !known.Any(other => other.Path == error.Path)));
        return new ConfigCheckResult(errors, [.. CertificateReview.Of(compiled.Config, compiled.Certificates, time.GetUtcNow())]);
    }

    /// <summary>What a start would bring into force, without binding, checking or looking up anything. Null = <paramref name="errors"/> has what is wrong.</summary>
    public ProxySnapshot? Preview(List<ConfigError> errors)
    {
        var compiled = Compile(errors, out _);
        return errors.Count > 0
            ? null
            : SnapshotBuilder.Build(
                compiled.Config,
                Generation + 1,
                time.GetUtcNow(),
                clusters.Prepare(compiled.Config.Clusters, id => compiled.Upstream![id]).Clusters,
                (id, _) => compiled.Policies![id],
                compiled.Access,
                limits);
    }

    /// <summary>Reads and loads everything that sessions go by.</summary>
    /// <param name="errors">Gets what is wrong.</param>
    /// <param name="read">What of that was found by reading alone.</param>
    private Compiled Compile(List<ConfigError> errors, out IReadOnlyList<ConfigError> read)
    {
        var source = checks.Validate(provider.GetConfig());
        read = source.Errors;
        errors.AddRange(read);
        var prepared = certificates.Prepare(source.Config.Certificates, provider.BasePath);
        errors.AddRange(prepared.Errors.Select(error => ToConfigError(error, source.Config)));
        var trusts = ClientTrusts.Load(source.Config, provider.BasePath, errors);
        var access = AccessRuleSet.Load(source.Config, provider.BasePath, errors);
        var ticketChange = ticketKeys.Prepare(source.Config, provider.BasePath, errors);
        if (errors.Count > 0)
        {
            return new Compiled(source.Config, prepared, access, null, null);
        }

        var openSsl = new Lazy<OpenSslLibrary?>(() => tlsEngines.WouldSelect(source.Config));
        var policies = RoutePolicies.Compile(source.Config, prepared, new(trusts, ticketChange, stapler, provider.BasePath), certificates, openSsl, _ => null);
        errors.AddRange(policies.Errors);
        var upstream = UpstreamPolicies.Compile(source.Config, provider.BasePath, prepared, certificates, openSsl, _ => null);
        errors.AddRange(upstream.Errors);
        return new Compiled(source.Config, prepared, access, policies, upstream);
    }

    /// <summary>Policies are null where something else is wrong already.</summary>
    private sealed record Compiled(StreamProxyConfig Config, CertificateSet Certificates, AccessRuleSet Access, RoutePolicies? Policies, UpstreamPolicies? Upstream);
}
