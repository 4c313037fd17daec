using System.Buffers.Text;
using System.Text;
using KestrelStream.Preread;

namespace KestrelStream.Configuration.Validation;

/// <summary>What is said of one certificate that is got by ACME, and of the server that answers on port 80.</summary>
internal static class AcmeValidator
{
    /// <summary>As many as Let's Encrypt puts into one certificate.</summary>
    private const int MaxNames = 100;

    private static readonly TimeSpan ShortestRenewBefore = TimeSpan.FromSeconds(1);

    public static void Validate(ValidationContext context, string path, AcmeConfig acme)
    {
        if (!context.Hooks.HasAcme)
        {
            context.AddError(path, "this app has no ACME client; valid: call AddAcme() behind AddStreamProxy(), or name files");
        }

        CheckUrl(context, $"{path}:Directory", acme.Directory);
        CheckEmail(context, $"{path}:Email", acme.Email);
        CheckNames(context, path, acme.Names);
        CheckStorage(context, $"{path}:Storage", acme.Storage);
        context.CheckTime(path, "RenewBefore", acme.RenewBefore, ShortestRenewBefore);
        if (acme.TrustedCertificates is { } trusted)
        {
            FilePath.Check(context, $"{path}:TrustedCertificates", trusted, "a PEM file of certificates, or nothing for the operating system's");
        }

        if (acme.Challenge == AcmeChallenge.Http01 && context.Config.HttpChallenge is null && !context.IsMisread($"{context.Root}:HttpChallenge"))
        {
            context.AddError($"{path}:Challenge", $"\"Http01\" has nobody who answers it; valid: \"TlsAlpn01\", or {context.Root}:HttpChallenge:Address, as \"*:80\"");
        }

        if (acme.ExternalAccount is { } account)
        {
            CheckExternalAccount(context, $"{path}:ExternalAccount", account);
        }
    }

    public static void ValidateHttpChallenge(ValidationContext context, HttpChallengeConfig server)
    {
        var root = $"{context.Root}:HttpChallenge";
        if (!context.Hooks.HasAcme)
        {
            context.AddError(root, "this app has no ACME client; valid: call AddAcme() behind AddStreamProxy(), or leave it out");
        }

        var path = $"{root}:Address";
        if (ListenAddress.Check(context, path, server.Address) is not { } address)
        {
            return;
        }

        foreach (var (id, listener) in context.Config.Listeners.OrderBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase))
        {
            CheckConflict(listener.Address, $"listener {ErrorText.Quote(id)}");
        }

        CheckConflict(context.Config.Admin?.Address ?? "", "the admin port");

        void CheckConflict(string other, string owner)
        {
            if (ProxyAddress.TryParseListen(other, out var taken) && ListenAddress.Conflict(address, taken!))
            {
                context.AddError(path, ListenAddress.ConflictMessage(address, taken!, owner));
            }
        }
    }

    private static void CheckUrl(ValidationContext context, string path, string directory)
    {
        if (directory.Length == 0)
        {
            context.AddError(path, "is missing or empty; valid: the URL of an ACME directory, as https://acme-v02.api.letsencrypt.org/directory");
        }
        else if (!Uri.TryCreate(directory, UriKind.Absolute, out var url) || url.Scheme != Uri.UriSchemeHttps || url.UserInfo.Length > 0 || url.Fragment.Length > 0)
        {
            context.AddError(path, $"{ErrorText.Quote(directory)} is not the URL of an ACME directory; valid: https://host/path");
        }
    }

    private static void CheckEmail(ValidationContext context, string path, string? email)
    {
        // RFC 8555 §7.3: one address, without header fields.
        if (email is not null
            && (email.Split('@') is not [{ Length: > 0 }, { Length: > 0 }] || email.AsSpan().ContainsAnyExceptInRange('!', '~') || email.AsSpan().ContainsAny(",?&%")))
        {
            context.AddError(path, $"{ErrorText.Quote(email)} is not an e-mail address; valid: one as ops@example.com, or nothing");
        }
    }

    private static void CheckNames(ValidationContext context, string path, IReadOnlyList<string> names)
    {
        if (names.Count is 0 or > MaxNames)
        {
            context.AddError($"{path}:Names", names.Count == 0 ? "at least one name is needed; valid: DNS names, as [\"www.example.com\"]" : $"has {names.Count} names; valid: up to {MaxNames}");
        }

        for (var i = 0; i < names.Count; i++)
        {
            if (names[i].StartsWith("*.", StringComparison.Ordinal))
            {
                context.AddError($"{path}:Names:{i}", $"{ErrorText.Quote(names[i])} is a wildcard, which neither TlsAlpn01 nor Http01 can prove; valid: each name by itself");
            }
            else if (!IsName(names[i]))
            {
                context.AddError($"{path}:Names:{i}", $"{ErrorText.Quote(names[i])} is not a DNS name; valid: one as www.example.com");
            }
        }

        context.CheckDuplicates(path, "Names", names, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>A whole name, with a dot in it and without one at its end; no address.</summary>
    private static bool IsName(string name)
        => Ascii.IsValid(name)
            && name.Contains('.', StringComparison.Ordinal)
            && !name.EndsWith('.')
            && ServerNameSyntax.TryParse(Encoding.ASCII.GetBytes(name), out var parsed)
            && !parsed.IsEmpty;

    private static void CheckStorage(ValidationContext context, string path, string storage)
    {
        if (storage.Length == 0 || storage.Contains('\0', StringComparison.Ordinal))
        {
            context.AddError(path, $"{ErrorText.Quote(storage)} is not the path of a folder; valid: a folder that only the proxy's user can read, as \"acme\"");
        }
    }

    private static void CheckExternalAccount(ValidationContext context, string path, AcmeExternalAccountConfig account)
    {
        if (account.KeyId.Length == 0)
        {
            context.AddError($"{path}:KeyId", "is missing or empty; valid: what the authority calls the account");
        }

        // The value is not repeated: it is a secret.
        if (account.HmacKey.Length == 0 || !Base64Url.IsValid(account.HmacKey))
        {
            context.AddError($"{path}:HmacKey", "is missing, empty or not base64url; valid: the key that the authority gave, letters, digits, - and _");
        }
    }
}
