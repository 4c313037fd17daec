namespace KestrelStream.Configuration.Validation;

/// <summary>What is said of one route's stapled OCSP answers, as far as no file is read.</summary>
internal static class OcspValidator
{
    public static void Validate(ValidationContext context, string path, RouteTlsConfig tls)
    {
        if (tls.OcspResponder is { } responder && (!Uri.TryCreate(responder, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttp || uri.UserInfo.Length > 0))
        {
            context.AddError($"{path}:OcspResponder", $"{ErrorText.Quote(responder)} is not the URL of a responder; valid: http://host:port/path");
        }

        for (var i = 0; i < tls.OcspFiles.Count; i++)
        {
            FilePath.Check(context, $"{path}:OcspFiles:{i}", tls.OcspFiles[i], "a file with an OCSP response in DER");
        }

        context.CheckDuplicates(path, "OcspFiles", tls.OcspFiles, StringComparer.Ordinal);
        if (!tls.OcspStapling)
        {
            CheckUnused(nameof(tls.OcspResponder), tls.OcspResponder is not null);
            CheckUnused(nameof(tls.OcspFiles), tls.OcspFiles.Count > 0);
        }

        void CheckUnused(string key, bool isGiven)
        {
            if (isGiven)
            {
                context.AddError($"{path}:{key}", "has no effect without OcspStapling; valid: OcspStapling true, or leave it out");
            }
        }
    }
}
