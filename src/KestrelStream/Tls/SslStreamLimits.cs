using System.Globalization;
using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>What a route's TLS asks for that SslStream cannot do. Pure.</summary>
internal static class SslStreamLimits
{
    private const string Absent = "leave it out";

    private static readonly RouteTlsConfig s_defaults = new();

    /// <param name="Key">Below the route's <c>Tls</c>.</param>
    /// <param name="Message">Ends with the name of SslStream.</param>
    /// <param name="Valid">What it can do.</param>
    public readonly record struct Limit(string Key, string Message, string Valid);

    public static IEnumerable<Limit> Of(RouteTlsConfig tls)
    {
        // It sets SSL_OP_CIPHER_SERVER_PREFERENCE always and has no switch for it.
        if (!tls.PreferServerCiphers)
        {
            yield return new(nameof(tls.PreferServerCiphers), "false is not possible: the server's order of ciphers always decides with SslStream", "true");
        }

        if (!TlsGroups.AreDefault(tls.Groups))
        {
            yield return Impossible(nameof(tls.Groups), tls.Groups!);
        }

        if (tls.SessionTimeout != s_defaults.SessionTimeout)
        {
            yield return Impossible(nameof(tls.SessionTimeout), Duration.Format(tls.SessionTimeout));
        }

        if (tls.SessionCacheSize != s_defaults.SessionCacheSize)
        {
            yield return Impossible(nameof(tls.SessionCacheSize), tls.SessionCacheSize.ToString(CultureInfo.InvariantCulture));
        }

        if (tls.SessionTickets is { } tickets && tickets != new SessionTicketsConfig())
        {
            yield return new(nameof(tls.SessionTickets), "is not possible: keys of tickets are kept by SslStream", Absent);
        }

        if (tls.OcspStapling)
        {
            yield return Impossible(nameof(tls.OcspStapling), "true");
        }

        // .NET takes revocation lists from a store of the user's or from the network, never from a file.
        if (tls.ClientCertificates is { Mode: not ClientCertificateMode.None, Crl: { Length: > 0 } crl })
        {
            yield return Impossible($"{nameof(tls.ClientCertificates)}:{nameof(ClientCertificatesConfig.Crl)}", crl);
        }
    }

    private static Limit Impossible(string key, string value) => new(key, $"{ErrorText.Quote(value)} is not possible with SslStream", Absent);
}
