using KestrelStream.Access;
using KestrelStream.Preread.Detection;
using KestrelStream.Routing;

namespace KestrelStream.Configuration.Validation;

/// <summary>The conditions of one route.</summary>
internal static class RouteMatchValidator
{
    private const byte TlsHandshakeRecord = 0x16;

    /// <summary>The server names compiled; null when one of them is wrong, so that it is not known which names the route takes.</summary>
    public static IReadOnlyList<SniPattern>? Validate(ValidationContext context, string path, RouteConfig route)
    {
        var match = route.Match;
        context.CheckAlpn(path, "Match:Alpn", match.Alpn);
        context.CheckDuplicates(path, "Match:Protocols", match.Protocols);
        ValidateFirstBytes(context, path, match.FirstBytes);
        context.CheckDuplicates(path, "Match:ClientNetworks", match.ClientNetworks, StringComparer.OrdinalIgnoreCase);
        for (var i = 0; i < match.ClientNetworks.Count; i++)
        {
            if (!NetworkSyntax.IsNetwork(match.ClientNetworks[i]))
            {
                context.AddError($"{path}:Match:ClientNetworks:{i}", $"{ErrorText.Quote(match.ClientNetworks[i])} is not a network; valid: {NetworkSyntax.Valid}");
            }
        }

        if (match.Protocols.FirstOrDefault(protocol => protocol != ClientProtocol.Tls) is var other and not ClientProtocol.Tls)
        {
            ValidateNotTls(context, $"{path}:Match:Protocols", route, $"\"{other}\" is for clients that {(other == ClientProtocol.ServerFirst ? "say nothing" : "do not begin with TLS")}", "a route of its own");
            if (match.Protocols.Contains(ClientProtocol.ServerFirst) && match.FirstBytes.Count > 0)
            {
                context.AddError($"{path}:Match:Protocols", "\"ServerFirst\" is for clients that say nothing, which cannot go with Match:FirstBytes; valid: a route of its own");
            }
        }

        if (match.FirstBytes.Count > 0)
        {
            ValidateNotTls(context, $"{path}:Match:FirstBytes", route, "is for clients that do not begin with TLS", "a route of its own");
        }

        return ValidateSni(context, path, match.Sni);
    }

    private static void ValidateFirstBytes(ValidationContext context, string path, IReadOnlyList<string> patterns)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < patterns.Count; i++)
        {
            if (!FirstBytesPattern.TryParse(patterns[i], out var pattern, out var error))
            {
                context.AddError($"{path}:Match:FirstBytes:{i}", $"{ErrorText.Quote(patterns[i])} is no pattern: {error}; valid: {FirstBytesPattern.ValidForms}");
            }
            else if (pattern!.Bytes[0] == TlsHandshakeRecord)
            {
                context.AddError($"{path}:Match:FirstBytes:{i}", $"{ErrorText.Quote(patterns[i])} begins as TLS does (0x16), which is never compared; valid: Match:Protocols [\"Tls\"], or another first byte");
            }
            else if (!seen.Add(pattern.Key))
            {
                context.AddError($"{path}:Match:FirstBytes:{i}", $"{ErrorText.Quote(patterns[i])} repeats the same bytes; valid: each pattern once");
            }
        }
    }

    /// <summary>Such a client names no server, offers no ALPN and starts no TLS.</summary>
    private static void ValidateNotTls(ValidationContext context, string path, RouteConfig route, string what, string valid)
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
            context.AddError(path, $"{what}, which cannot go with {string.Join(", ", impossible)}; valid: {valid}");
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
