using KestrelStream.Tls;

namespace KestrelStream.Configuration.Validation;

/// <summary>What is said of one route's TLS.</summary>
internal static class RouteTlsValidator
{
    private static readonly RouteTlsConfig Defaults = new();

    public static void Validate(ValidationContext context, string path, RouteTlsConfig tls)
    {
        if (tls.Mode == TlsMode.Passthrough)
        {
            ValidatePassthrough(context, path, tls);
            return;
        }

        ValidateCertificates(context, path, tls.Certificates);
        ValidateUnknownName(context, path, tls);
        if (tls.Protocols.Count == 0)
        {
            context.AddError($"{path}:Protocols", $"the list is empty; valid: {ErrorText.Names(Enum.GetNames<TlsVersion>())}");
        }

        KeyExchangeValidator.Validate(context, path, tls.Protocols, tls.Ciphers, tls.CipherSuites, tls.Groups);
        context.CheckAlpn(path, "Alpn", tls.Alpn);
        SessionResumptionValidator.Validate(context, path, tls);
        OcspValidator.Validate(context, path, tls);
        if (tls.ClientCertificates is { } clients)
        {
            ClientCertificatesValidator.Validate(context, $"{path}:ClientCertificates", clients);
        }

        if (!context.Hooks.UsesOpenSsl(context.Config))
        {
            foreach (var limit in SslStreamLimits.Of(tls))
            {
                context.AddError($"{path}:{limit.Key}", $"{limit.Message}, which ends TLS here; valid: Tls:Engine \"OpenSsl\", or {limit.Valid}");
            }
        }
    }

    /// <summary>A key that is written with its default value cannot be told from one that is left out, and does no harm.</summary>
    private static void ValidatePassthrough(ValidationContext context, string path, RouteTlsConfig tls)
    {
        Check(nameof(tls.Certificates), tls.Certificates.Count > 0, tls.Certificates);
        Check(nameof(tls.UnknownName), tls.UnknownName is not null, [tls.UnknownName.ToString()!]);
        Check(nameof(tls.Protocols), !tls.Protocols.SequenceEqual(Defaults.Protocols), tls.Protocols.Select(version => version.ToString()));
        Check(nameof(tls.Ciphers), tls.Ciphers is not null, [tls.Ciphers!]);
        Check(nameof(tls.CipherSuites), tls.CipherSuites is not null, [tls.CipherSuites!]);
        Check(nameof(tls.Groups), tls.Groups is not null, [tls.Groups!]);
        Check(nameof(tls.SessionResumption), tls.SessionResumption != Defaults.SessionResumption, ["false"]);
        Check(nameof(tls.SessionTimeout), tls.SessionTimeout != Defaults.SessionTimeout, [Duration.Format(tls.SessionTimeout)]);
        Check(nameof(tls.SessionCacheSize), tls.SessionCacheSize != Defaults.SessionCacheSize, [$"{tls.SessionCacheSize}"]);
        Check(nameof(tls.SessionTickets), tls.SessionTickets is not null && tls.SessionTickets != new SessionTicketsConfig(), ["{…}"]);
        Check(nameof(tls.OcspStapling), tls.OcspStapling != Defaults.OcspStapling, ["true"]);
        Check(nameof(tls.OcspResponder), tls.OcspResponder is not null, [tls.OcspResponder!]);
        Check(nameof(tls.OcspFiles), tls.OcspFiles.Count > 0, tls.OcspFiles);
        Check(nameof(tls.PreferServerCiphers), tls.PreferServerCiphers != Defaults.PreferServerCiphers, ["false"]);
        Check(nameof(tls.Alpn), tls.Alpn.Count > 0, tls.Alpn);
        Check(
            nameof(tls.ClientCertificates),
            tls.ClientCertificates is not null && tls.ClientCertificates != new ClientCertificatesConfig(),
            [tls.ClientCertificates?.Mode.ToString() ?? ""]);

        void Check(string key, bool isGiven, IEnumerable<string> values)
        {
            if (isGiven)
            {
                context.AddError(
                    $"{path}:{key}",
                    $"{ErrorText.Quote(string.Join(", ", values))} has no effect with Mode \"Passthrough\"; valid: Mode \"Terminate\", or leave it out");
            }
        }
    }

    /// <summary>A folder has no first certificate: which one it is would change with its files.</summary>
    private static void ValidateUnknownName(ValidationContext context, string path, RouteTlsConfig tls)
    {
        if (tls.UnknownName == UnknownName.Default
            && tls.Certificates.Count > 0
            && context.Config.Certificates.TryGetValue(tls.Certificates[0], out var first)
            && first.Directory is not null)
        {
            context.AddError(
                $"{path}:UnknownName",
                $"\"Default\" is the first of Certificates, and {ErrorText.Quote(tls.Certificates[0])} is a folder; valid: a certificate with a Path first in the list, or \"Reject\"");
        }
    }

    private static void ValidateCertificates(ValidationContext context, string path, IReadOnlyList<string> certificates)
    {
        if (certificates.Count == 0)
        {
            context.AddError($"{path}:Certificates", "at least one certificate is needed with Mode \"Terminate\"");
        }

        for (var i = 0; i < certificates.Count; i++)
        {
            if (!context.Certificates.Contains(certificates[i]))
            {
                context.AddError($"{path}:Certificates:{i}", context.Certificates.UnknownId(certificates[i]));
            }
        }

        context.CheckDuplicates(path, "Certificates", certificates, StringComparer.OrdinalIgnoreCase);
    }
}
