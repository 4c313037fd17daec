using KestrelStream.Tls.Ocsp;

namespace KestrelStream.Configuration.Validation;

/// <summary>What is said of the client certificates of one route, as far as no file is read.</summary>
internal static class ClientCertificatesValidator
{
    private const int MaxDepth = 100;

    private static readonly TimeSpan s_shortestOcspTimeout = TimeSpan.FromMilliseconds(100);

    private static readonly ClientCertificatesConfig Defaults = new();

    public static void Validate(ValidationContext context, string path, ClientCertificatesConfig clients)
    {
        if (clients.Mode == ClientCertificateMode.None)
        {
            ValidateNone(context, path, clients);
            return;
        }

        FilePath.Check(context, $"{path}:TrustedCertificates", clients.TrustedCertificates ?? "", "a PEM file of the authorities that are trusted");
        context.CheckRange(path, "Depth", clients.Depth, 0, MaxDepth);
        if (clients.Crl is { } crl)
        {
            FilePath.Check(context, $"{path}:Crl", crl, "a PEM file of revocation lists");
        }

        ValidateOcsp(context, path, clients);
    }

    private static void ValidateOcsp(ValidationContext context, string path, ClientCertificatesConfig clients)
    {
        OcspValidator.CheckResponder(context, $"{path}:OcspResponder", clients.OcspResponder);
        if (clients.OcspTimeout < s_shortestOcspTimeout || clients.OcspTimeout > OcspClient.Timeout)
        {
            var valid = $"{Duration.Format(s_shortestOcspTimeout)} to {Duration.Format(OcspClient.Timeout)}";
            context.AddError($"{path}:OcspTimeout", $"\"{Duration.Format(clients.OcspTimeout)}\" is out of range; valid: {valid}");
        }

        if (clients.Ocsp == ClientOcspMode.Off)
        {
            CheckUnused(nameof(clients.OcspResponder), clients.OcspResponder is not null);
            CheckUnused(nameof(clients.OcspTimeout), clients.OcspTimeout != Defaults.OcspTimeout);
        }
        else if (!context.Hooks.HasOpenSsl())
        {
            context.AddError($"{path}:Ocsp", $"\"{clients.Ocsp}\" needs the system's OpenSSL 3, which is not here; valid: \"Off\"");
        }

        void CheckUnused(string key, bool isGiven)
        {
            if (isGiven)
            {
                context.AddError($"{path}:{key}", "has no effect with Ocsp \"Off\"; valid: Ocsp \"Soft\" or \"Hard\", or leave it out");
            }
        }
    }

    /// <summary>Trust that is written down but not asked for would look like protection.</summary>
    private static void ValidateNone(ValidationContext context, string path, ClientCertificatesConfig clients)
    {
        Check(nameof(clients.TrustedCertificates), clients.TrustedCertificates);
        Check(nameof(clients.Depth), clients.Depth == Defaults.Depth ? null : clients.Depth.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Check(nameof(clients.Crl), clients.Crl);
        Check(nameof(clients.Ocsp), clients.Ocsp == Defaults.Ocsp ? null : clients.Ocsp.ToString());
        Check(nameof(clients.OcspResponder), clients.OcspResponder);
        Check(nameof(clients.OcspTimeout), clients.OcspTimeout == Defaults.OcspTimeout ? null : Duration.Format(clients.OcspTimeout));

        void Check(string key, string? value)
        {
            if (value is not null)
            {
                context.AddError($"{path}:{key}", $"{ErrorText.Quote(value)} has no effect with Mode \"None\"; valid: Mode \"Allow\" or \"Require\", or leave it out");
            }
        }
    }
}
