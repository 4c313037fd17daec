namespace KestrelStream.Configuration.Validation;

/// <summary>What is said of one route's TLS.</summary>
internal static class RouteTlsValidator
{
    /// <summary>SslStream sets SSL_OP_CIPHER_SERVER_PREFERENCE always and has no switch for it.</summary>
    private const string ClientOrderMessage = "false is not possible: the server's order of ciphers always decides with SslStream, which ends TLS here; valid: true";

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

        context.CheckDuplicates(path, "Protocols", tls.Protocols);
        if (tls.Ciphers is { } ciphers && context.Hooks.CipherError(ciphers) is { } error)
        {
            context.AddError($"{path}:Ciphers", $"{ErrorText.Quote(ciphers)} is not a cipher string: {error}");
        }

        if (!tls.PreferServerCiphers && !context.Hooks.UsesOpenSsl(context.Config))
        {
            context.AddError($"{path}:PreferServerCiphers", ClientOrderMessage);
        }

        context.CheckAlpn(path, "Alpn", tls.Alpn);
        if (tls.ClientCertificates is { } clients)
        {
            ClientCertificatesValidator.Validate(context, $"{path}:ClientCertificates", clients);
        }
    }

    /// <summary>A key that is written with its default value cannot be told from one that is left out, and does no harm.</summary>
    private static void ValidatePassthrough(ValidationContext context, string path, RouteTlsConfig tls)
    {
        Check(nameof(tls.Certificates), tls.Certificates.Count > 0, tls.Certificates);
        Check(nameof(tls.UnknownName), tls.UnknownName is not null, [tls.UnknownName.ToString()!]);
        Check(nameof(tls.Protocols), !tls.Protocols.SequenceEqual(Defaults.Protocols), tls.Protocols.Select(version => version.ToString()));
        Check(nameof(tls.Ciphers), tls.Ciphers is not null, [tls.Ciphers!]);
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
