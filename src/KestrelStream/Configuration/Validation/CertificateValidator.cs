namespace KestrelStream.Configuration.Validation;

/// <summary>The certificates, as far as no file is read.</summary>
internal static class CertificateValidator
{
    public static void Validate(ValidationContext context)
    {
        foreach (var (_, path, certificate) in context.Items($"{context.Root}:Certificates", context.Config.Certificates))
        {
            FilePath.Check(context, $"{path}:Path", certificate.Path, "a PEM or PFX file");
            if (certificate.KeyPath is { } keyPath)
            {
                FilePath.Check(context, $"{path}:KeyPath", keyPath, "a PEM file, or nothing when the key is in the file of Path");
            }
        }
    }
}
