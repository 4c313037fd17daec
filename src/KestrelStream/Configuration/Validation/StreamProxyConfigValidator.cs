namespace KestrelStream.Configuration.Validation;

/// <summary>
/// Finds everything that is wrong with a configuration as such: values, references, duplicates. Files, names and ports are not
/// touched. Stateless; safe on any thread.
/// </summary>
internal sealed class StreamProxyConfigValidator(ValidationHooks hooks)
{
    /// <summary>
    /// Takes what was read and gives it back with every error, those of reading first. The configuration that is given back has maps that
    /// ignore the case of ids.
    /// </summary>
    public ConfigResult Validate(ConfigResult read)
    {
        var context = new ValidationContext(read, hooks);
        TopLevelValidator.Validate(context);
        ListenerValidator.Validate(context);
        CertificateValidator.Validate(context);
        ClusterValidator.Validate(context);
        RouteValidator.Validate(context);
        return read with { Config = ConfigMap.IgnoringCase(read.Config), Errors = context.Errors };
    }

    /// <summary>The mistakes of one cluster by itself.</summary>
    public IReadOnlyList<ConfigError> ValidateCluster(string id, ClusterConfig cluster)
    {
        var clusters = ConfigMap.Create<ClusterConfig>();
        clusters.Add(id, cluster);
        var context = new ValidationContext(new ConfigResult(new StreamProxyConfig { Clusters = clusters }, []), hooks);
        ClusterValidator.Validate(context);
        return context.Errors;
    }
}
