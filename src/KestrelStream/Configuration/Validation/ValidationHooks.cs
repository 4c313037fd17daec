namespace KestrelStream.Configuration.Validation;

/// <summary>What validation must ask of other parts of the proxy.</summary>
/// <param name="LoadBalancingPolicies">Names of the registered policies.</param>
/// <param name="CipherError">What is wrong with an OpenSSL cipher string; null = nothing.</param>
/// <param name="IsEngineSupported">Whether this machine can run an engine.</param>
/// <param name="HasOpenSsl">Whether OpenSSL is here, whatever ends TLS.</param>
/// <param name="WhyNoHttp">Why routes cannot be handed over to HTTP, as the end of a message; null = they can.</param>
/// <param name="UsesOpenSsl">Whether TLS ends in OpenSSL under a configuration, not in SslStream.</param>
/// <param name="HasAcme">Whether somebody is there to get certificates by ACME.</param>
internal sealed record ValidationHooks(
    IReadOnlyCollection<string> LoadBalancingPolicies,
    Func<string, string?> CipherError,
    Func<EngineKind, bool> IsEngineSupported,
    Func<StreamProxyConfig, bool> UsesOpenSsl,
    Func<bool> HasOpenSsl,
    Func<string?> WhyNoHttp,
    bool HasAcme = false);
