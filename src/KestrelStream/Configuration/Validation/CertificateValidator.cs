namespace KestrelStream.Configuration.Validation;

/// <summary>The certificates, as far as no file is read.</summary>
internal static class CertificateValidator
{
    public static void Validate(ValidationContext context)
    {
        foreach (var (_, path, certificate) in context.Items($"{context.Root}:Certificates", context.Config.Certificates))
        {
            if (certificate.Acme is { } acme)
            {
                RejectFiles(context, path, certificate);
                AcmeValidator.Validate(context, $"{path}:Acme", acme);
                continue;
            }

            if (certificate.Directory is { } directory)
            {
                ValidateDirectory(context, path, certificate, directory);
                continue;
            }

            FilePath.Check(context, $"{path}:Path", certificate.Path, "a PEM or PFX file, or Directory or Acme in its place");
            if (certificate.KeyPath is { } keyPath)
            {
                FilePath.Check(context, $"{path}:KeyPath", keyPath, "a PEM file, or nothing when the key is in the file of Path");
            }
        }
    }

    private static void RejectFiles(ValidationContext context, string path, CertificateConfig certificate)
    {
        Check(nameof(certificate.Path), certificate.Path.Length > 0);
        Check(nameof(certificate.KeyPath), certificate.KeyPath is not null);
        Check(nameof(certificate.Directory), certificate.Directory is not null);
        Check(nameof(certificate.Password), certificate.Password is not null);

        void Check(string key, bool isGiven)
        {
            if (isGiven)
            {
                context.AddError($"{path}:{key}", "is not possible beside Acme, which keeps the certificate in Acme:Storage; valid: one of them");
            }
        }
    }

    private static void ValidateDirectory(ValidationContext context, string path, CertificateConfig certificate, string directory)
    {
        if (directory.Length == 0 || directory.Contains('\0'))
        {
            context.AddError($"{path}:Directory", $"{ErrorText.Quote(directory)} is not the path of a folder; valid: a folder of certificates");
        }

        Check("Path", certificate.Path.Length > 0 ? certificate.Path : null);
        Check("KeyPath", certificate.KeyPath);

        void Check(string key, string? value)
        {
            if (value is not null)
            {
                context.AddError($"{path}:{key}", $"{ErrorText.Quote(value)} is not possible with Directory; valid: one of the two");
            }
        }
    }
}
