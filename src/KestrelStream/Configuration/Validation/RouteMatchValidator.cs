using KestrelStream.Routing;

namespace KestrelStream.Configuration.Validation;

/// <summary>The conditions of one route.</summary>
internal static class RouteMatchValidator
{
    /// <summary>The server names compiled; null when one of them is wrong, so that it is not known which names the route takes.</summary>
    public static IReadOnlyList<SniPattern>? Validate(ValidationContext context, string path, RouteConfig route)
    {
        var match = route.Match;
        context.CheckAlpn(path, "Match:Alpn", match.Alpn);
        context.CheckDuplicates(path, "Match:Protocols", match.Protocols);
        if (match.Protocols.Contains(ClientProtocol.ServerFirst))
        {
            ValidateServerFirst(context, path, route);
        }

        return ValidateSni(context, path, match.Sni);
    }

    /// <summary>A client that says nothing names no server, offers no ALPN and starts no TLS.</summary>
    private static void ValidateServerFirst(ValidationContext context, string path, RouteConfig route)
    {
        var impossible = new List<string>();
        if (route.Match.Sni.Count > 0)
        {
            impossible.Add("Match:Sni");
        }

        if (route.Match.Alpn.Count > 0)
        {
            impossible.Add("Match:Alpn");
        }

        if (route.Tls?.Mode == TlsMode.Terminate)
        {
            impossible.Add("Tls:Mode \"Terminate\"");
        }

        if (impossible.Count > 0)
        {
            context.AddError(
                $"{path}:Match:Protocols",
                $"\"ServerFirst\" is for clients that say nothing, which cannot go with {string.Join(", ", impossible)}; valid: a route of its own");
        }
    }

    private static List<SniPattern>? ValidateSni(ValidationContext context, string path, IReadOnlyList<string> names)
    {
        var patterns = new List<SniPattern>(names.Count);
        var seen = names.Count > 1 ? new HashSet<string>(StringComparer.Ordinal) : null;
        for (var i = 0; i < names.Count; i++)
        {
            if (!SniPattern.TryParse(names[i], out var pattern, out var error))
            {
                context.AddError($"{path}:Match:Sni:{i}", $"{ErrorText.Quote(names[i])} is not a server name: {error}; valid: {SniPattern.ValidForms}");
                continue;
            }

            patterns.Add(pattern!);
            foreach (var form in pattern!.Forms)
            {
                if (seen?.Add(form) ?? true)
                {
                    continue;
                }

                context.AddError($"{path}:Match:Sni:{i}", $"{ErrorText.Quote(names[i])} repeats {ErrorText.Quote(form)} of the same list; valid: each name once");
            }
        }

        return patterns.Count == names.Count ? patterns : null;
    }
}
