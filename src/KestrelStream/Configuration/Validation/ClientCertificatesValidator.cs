namespace KestrelStream.Configuration.Validation;

/// <summary>What is said of the client certificates of one route, as far as no file is read.</summary>
internal static class ClientCertificatesValidator
{
    private const int MaxDepth = 100;

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
    }

    /// <summary>Trust that is written down but not asked for would look like protection.</summary>
    private static void ValidateNone(ValidationContext context, string path, ClientCertificatesConfig clients)
    {
        Check(nameof(clients.TrustedCertificates), clients.TrustedCertificates);
        Check(nameof(clients.Depth), clients.Depth == Defaults.Depth ? null : clients.Depth.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Check(nameof(clients.Crl), clients.Crl);

        void Check(string key, string? value)
        {
            if (value is not null)
            {
                context.AddError($"{path}:{key}", $"{ErrorText.Quote(value)} has no effect with Mode \"None\"; valid: Mode \"Allow\" or \"Require\", or leave it out");
            }
        }
    }
}
