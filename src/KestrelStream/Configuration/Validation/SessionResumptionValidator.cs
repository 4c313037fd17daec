using KestrelStream.Tls.Tickets;

namespace KestrelStream.Configuration.Validation;

/// <summary>What is said of how the clients of one route resume their sessions, as far as no file is read.</summary>
internal static class SessionResumptionValidator
{
    /// <summary>Each takes some hundred bytes to some KiB, with a client's certificate.</summary>
    private const int MaxCacheSize = 1_000_000;

    /// <summary>RFC 8446 §4.6.1.</summary>
    private static readonly TimeSpan s_longest = TimeSpan.FromDays(7);

    private static readonly TimeSpan s_shortestRotation = TimeSpan.FromMinutes(1);

    private static readonly SessionTicketsConfig s_defaults = new();

    public static void Validate(ValidationContext context, string path, RouteTlsConfig tls)
    {
        if (tls.SessionTimeout < TimeSpan.FromSeconds(1) || tls.SessionTimeout > s_longest)
        {
            var valid = $"{Duration.Format(TimeSpan.FromSeconds(1))} to {Duration.Format(s_longest)}";
            context.AddError($"{path}:SessionTimeout", $"\"{Duration.Format(tls.SessionTimeout)}\" is out of range; valid: {valid}");
        }

        context.CheckRange(path, "SessionCacheSize", tls.SessionCacheSize, 0, MaxCacheSize);
        if (!tls.Resumes)
        {
            CheckWithoutResumption(context, path, tls);
        }
        else if (tls.SessionTickets is { } tickets)
        {
            ValidateTickets(context, $"{path}:SessionTickets", tls, tickets);
        }
    }

    private static void CheckWithoutResumption(ValidationContext context, string path, RouteTlsConfig tls)
    {
        if (tls.SessionTickets is not null && tls.SessionTickets != s_defaults)
        {
            Add(nameof(tls.SessionTickets));
        }

        if (tls.SessionCacheSize > 0)
        {
            Add(nameof(tls.SessionCacheSize));
        }

        void Add(string key) => context.AddError($"{path}:{key}", tls.SessionResumption
            ? "has no effect with ClientCertificates:Ocsp, with which nothing is resumed; valid: leave it out"
            : "has no effect with SessionResumption false; valid: true, or leave it out");
    }

    private static void ValidateTickets(ValidationContext context, string path, RouteTlsConfig tls, SessionTicketsConfig tickets)
    {
        if (!tickets.Enabled)
        {
            if (tickets with { Enabled = true } != s_defaults)
            {
                context.AddError(path, "its other keys have no effect with Enabled false; valid: true, or leave them out");
            }

            return;
        }

        for (var i = 0; i < tickets.KeyFiles.Count; i++)
        {
            FilePath.Check(context, $"{path}:KeyFiles:{i}", tickets.KeyFiles[i], "a file of 48 or 80 random bytes");
        }

        context.CheckDuplicates(path, "KeyFiles", tickets.KeyFiles, StringComparer.Ordinal);
        if (tickets.KeyFiles.Count > TicketKeySet.Most)
        {
            context.AddError($"{path}:KeyFiles", $"has {tickets.KeyFiles.Count} files; valid: up to {TicketKeySet.Most}");
        }

        if (tickets.KeyFiles.Count > 0)
        {
            if (tickets.RotationInterval != s_defaults.RotationInterval)
            {
                context.AddError($"{path}:RotationInterval", "has no effect with KeyFiles: who writes the files changes the keys; valid: leave one of them out");
            }

            return;
        }

        // One that encrypts, one that is about to be forgotten, and between them as many as fit.
        var shortest = tls.SessionTimeout / (TicketKeySet.Most - 2);
        shortest = shortest > s_shortestRotation ? TimeSpan.FromSeconds(Math.Ceiling(shortest.TotalSeconds)) : s_shortestRotation;
        context.CheckTime(path, "RotationInterval", tickets.RotationInterval, shortest);
    }
}
