using KestrelStream.Tls;

namespace KestrelStream.Configuration.Validation;

/// <summary>What is said of versions, ciphers and groups of one side's TLS, as far as no library is asked.</summary>
internal static class KeyExchangeValidator
{
    /// <param name="context">Gets the errors.</param>
    /// <param name="path">Of the <c>Tls</c> that has the keys.</param>
    /// <param name="protocols">Versions that are offered.</param>
    /// <param name="ciphers">A cipher string; null = none is configured.</param>
    /// <param name="suites">Those of TLS 1.3; null = none are configured.</param>
    /// <param name="groups">Names; null = none are configured.</param>
    public static void Validate(ValidationContext context, string path, IReadOnlyList<TlsVersion> protocols, string? ciphers, string? suites, string? groups)
    {
        context.CheckDuplicates(path, "Protocols", protocols);
        if (ciphers is not null && context.Hooks.CipherError(ciphers) is { } error)
        {
            var hint = ciphers.Contains("TLS_", StringComparison.Ordinal) ? "; suites of TLS 1.3 belong in CipherSuites" : "";
            context.AddError($"{path}:Ciphers", $"{ErrorText.Quote(ciphers)} is not a cipher string: {error}{hint}");
        }

        if (suites is not null && !Tls13Suites.TryParse(suites, out _, out var whyNot))
        {
            context.AddError($"{path}:CipherSuites", whyNot!);
        }
        else if (suites is not null && protocols.Count > 0 && !protocols.Contains(TlsVersion.Tls13))
        {
            context.AddError($"{path}:CipherSuites", $"{ErrorText.Quote(suites)} has no effect without TLS 1.3; valid: \"Tls13\" among Protocols, or leave it out");
        }

        if (groups is not null && TlsGroups.Names(groups).Contains(""))
        {
            context.AddError($"{path}:Groups", $"{ErrorText.Quote(groups)} is not a list of groups; valid: names with colons between, as X25519:P-256, or auto");
        }
    }
}
