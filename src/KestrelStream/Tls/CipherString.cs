using System.Net.Security;

namespace KestrelStream.Tls;

/// <summary>
/// Translates an OpenSSL cipher string (nginx's <c>ssl_ciphers</c>) into the suites of TLS 1.2 it stands for, by the rules of ciphers(1), OpenSSL 3.0.
/// Pure; thread-safe.
/// </summary>
/// <remarks>
/// The result is what <c>openssl ciphers -s -tls1_2</c> prints, but for the suites no server here can speak: PSK and SRP (which
/// <c>-s</c> leaves out too), anonymous, unencrypted and DSS. Unlike OpenSSL, a word that nobody knows is an error, not ignored.
/// <c>@SECLEVEL=n</c> drops the suites that level forbids; what it asks of keys and signatures stays the TLS library's own setting.
/// </remarks>
internal static partial class CipherString
{
    private const string Default = "DEFAULT";
    private const string DefaultRules = "ALL:!COMPLEMENTOFDEFAULT:!eNULL";

    /// <summary>Debian compiles OpenSSL with this level.</summary>
    private const int DefaultSecurityLevel = 2;

    private const string Hint = "valid are DEFAULT, ALL, HIGH, ECDHE, AESGCM, CHACHA20, aNULL, MD5 and the other words and suite names of ciphers(1), joined by '+', with '!', '-' or '+' before them, and @STRENGTH, @SECLEVEL=0 to 5";

    /// <param name="text">The cipher string.</param>
    /// <param name="suites">In order of preference; empty when false is returned.</param>
    /// <param name="error">What is wrong, naming the word, and what would be valid; null when true is returned.</param>
    public static bool TryParse(string text, out IReadOnlyList<TlsCipherSuite> suites, out string? error)
    {
        suites = [];
        var selection = new Selection();
        var rules = text.AsSpan();

        // DEFAULT is no word but a prefix, known only at the very start.
        if (rules.StartsWith(Default) && (rules.Length == Default.Length || !IsWordCharacter(rules[Default.Length])))
        {
            selection.TryApply(DefaultRules, out _);
            rules = rules[Default.Length..];
        }

        if (!selection.TryApply(rules, out error))
        {
            return false;
        }

        var chosen = selection.Result();
        if (chosen.Count == 0)
        {
            error = $"no cipher suite is left; {Hint}";
            return false;
        }

        if (chosen.All(suite => suite.Kx == Kx.Dhe))
        {
            // SslStream sets no DH parameters, so OpenSSL never negotiates these: a server of them alone refuses everybody.
            error = "only DHE suites are left, which need DH parameters and are never negotiated here; add ECDHE suites";
            return false;
        }

        suites = chosen.ConvertAll(suite => suite.Id);
        return true;
    }

    /// <summary>Whether a certificate with such a key is of use to clients of TLS 1.2.</summary>
    /// <param name="text">A cipher string that <see cref="TryParse"/> takes.</param>
    /// <param name="isRsa">The key is RSA; otherwise ECDSA.</param>
    public static bool Serves(string text, bool isRsa)
        => TryParse(text, out var suites, out _) && suites.Any(id => (Array.Find(Suites, suite => suite.Id == id)!.Auth & (isRsa ? Auth.Rsa : Auth.Ecdsa)) != 0);

    private static bool IsWordCharacter(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '=' or '_';

    private static bool IsSeparator(char c) => c is ':' or ',' or ';' or ' ';

    /// <summary>Suites that can be negotiated by a server that has an RSA or ECDSA certificate.</summary>
    internal static bool IsUsable(Suite suite) =>
        suite.Kx is Kx.Rsa or Kx.Dhe or Kx.Ecdhe && suite.Auth is Auth.Rsa or Auth.Ecdsa && suite.Enc != Enc.Null;

    /// <summary>What a security level asks of a suite: SSL_CTX_set_security_level(3).</summary>
    private static bool IsAllowed(Suite suite, int level) => level switch
    {
        >= 5 => suite.StrengthBits >= 256 && suite.Mac != Mac.Sha1 && suite.Kx != Kx.Rsa,
        4 => suite.StrengthBits >= 192 && suite.Mac != Mac.Sha1 && suite.Kx != Kx.Rsa,
        3 => suite.StrengthBits >= 128 && suite.Kx != Kx.Rsa,
        _ => true, // Levels 0 to 2 tell apart only suites that are not usable.
    };
}
