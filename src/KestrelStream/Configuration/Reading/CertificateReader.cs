namespace KestrelStream.Configuration.Reading;

/// <summary>Keys of a certificate.</summary>
internal static class CertificateReader
{
    public static CertificateConfig Read(SectionReader section) => new()
    {
        Path = section.Text(nameof(CertificateConfig.Path)) ?? "",
        KeyPath = section.Text(nameof(CertificateConfig.KeyPath)),
        Directory = section.Text(nameof(CertificateConfig.Directory)),
        Password = section.Text(nameof(CertificateConfig.Password)),
        Acme = section.Section(nameof(CertificateConfig.Acme), ReadAcme),
    };

    private static AcmeConfig ReadAcme(SectionReader section)
    {
        var defaults = new AcmeConfig();
        return new AcmeConfig
        {
            Directory = section.Text(nameof(AcmeConfig.Directory)) ?? "",
            Email = section.Text(nameof(AcmeConfig.Email)),
            Names = section.TextList(nameof(AcmeConfig.Names)) ?? defaults.Names,
            Challenge = section.Choice<AcmeChallenge>(nameof(AcmeConfig.Challenge)) ?? defaults.Challenge,
            Storage = section.Text(nameof(AcmeConfig.Storage)) ?? defaults.Storage,
            AgreeToTermsOfService = section.Flag(nameof(AcmeConfig.AgreeToTermsOfService)) ?? defaults.AgreeToTermsOfService,
            UntilIssued = section.Choice<AcmeUntilIssued>(nameof(AcmeConfig.UntilIssued)) ?? defaults.UntilIssued,
            KeyType = section.Choice<AcmeKeyType>(nameof(AcmeConfig.KeyType)) ?? defaults.KeyType,
            RenewBefore = section.Time(nameof(AcmeConfig.RenewBefore)),
            TrustedCertificates = section.Text(nameof(AcmeConfig.TrustedCertificates)),
            ExternalAccount = section.Section(nameof(AcmeConfig.ExternalAccount), ReadExternalAccount),
        };
    }

    private static AcmeExternalAccountConfig ReadExternalAccount(SectionReader section) => new()
    {
        KeyId = section.Text(nameof(AcmeExternalAccountConfig.KeyId)) ?? "",
        HmacKey = section.Text(nameof(AcmeExternalAccountConfig.HmacKey)) ?? "",
    };
}
