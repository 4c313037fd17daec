using System.Net.Security;
using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>Lists of TLS 1.3 suites as OpenSSL and nginx's <c>ssl_conf_command Ciphersuites</c> write them. Pure.</summary>
/// <remarks>OpenSSL 3.0 passes over names that it does not know without a word, so they are judged here.</remarks>
internal static class Tls13Suites
{
    private static readonly TlsCipherSuite[] s_known =
    [
        TlsCipherSuite.TLS_AES_256_GCM_SHA384,
        TlsCipherSuite.TLS_CHACHA20_POLY1305_SHA256,
        TlsCipherSuite.TLS_AES_128_GCM_SHA256,
        TlsCipherSuite.TLS_AES_128_CCM_SHA256,
        TlsCipherSuite.TLS_AES_128_CCM_8_SHA256,
    ];

    /// <summary>In OpenSSL's own order.</summary>
    public static IReadOnlyList<TlsCipherSuite> Defaults { get; } = s_known[..3];

    /// <summary>The same, AES-128 first: its hash is SHA-256, for which processors have instructions. Nobody breaks 128 bits sooner than 256.</summary>
    public static IReadOnlyList<TlsCipherSuite> Quick { get; } = [TlsCipherSuite.TLS_AES_128_GCM_SHA256, .. s_known[..2]];

    public static bool IsOne(TlsCipherSuite suite) => s_known.Contains(suite);

    /// <param name="text">Names with colons between.</param>
    /// <param name="suites">In the order of the text.</param>
    /// <param name="error">As the end of a sentence; null = none.</param>
    public static bool TryParse(string text, out IReadOnlyList<TlsCipherSuite> suites, out string? error)
    {
        var found = new List<TlsCipherSuite>();
        error = null;
        foreach (var name in text.Split(':', StringSplitOptions.TrimEntries))
        {
            var suite = Array.Find(s_known, known => known.ToString() == name);
            error ??= suite == default ? ErrorText.NotOneOf(name, "a suite of TLS 1.3", [.. s_known.Select(known => known.ToString())])
                : found.Contains(suite) ? $"{name} is in the list twice; valid: each once"
                : null;
            found.Add(suite);
        }

        suites = found;
        return error is null;
    }
}
