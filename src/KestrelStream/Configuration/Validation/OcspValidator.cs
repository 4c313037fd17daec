namespace KestrelStream.Configuration.Validation;

/// <summary>What is said of one route's stapled OCSP answers and of responders, as far as no file is read.</summary>
internal static class OcspValidator
{
    public static void Validate(ValidationContext context, string path, RouteTlsConfig tls)
    {
        CheckResponder(context, $"{path}:OcspResponder", tls.OcspResponder);
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

    /// <summary>An http URL, as answers are signed and a handshake of theirs would need answers too.</summary>
    public static void CheckResponder(ValidationContext context, string path, string? responder)
    {
        if (responder is not null && (!Uri.TryCreate(responder, UriKind.Absolute, out var uri) || uri.Scheme != Uri.UriSchemeHttp || uri.UserInfo.Length > 0))
        {
            context.AddError(path, $"{ErrorText.Quote(responder)} is not the URL of a responder; valid: http://host:port/path");
        }
    }
}
