namespace KestrelStream.Tls;

/// <summary>Lists of groups for the key exchange, as nginx's <c>ssl_ecdh_curve</c> writes them. What a name means is said by OpenSSL alone. Pure.</summary>
internal static class TlsGroups
{
    /// <summary>Whether a list leaves the choice to OpenSSL.</summary>
    public static bool AreDefault(string? text) => text is null or "auto";

    /// <summary>Names as they are written; empty ones too.</summary>
    public static string[] Names(string text) => text.Split(':', StringSplitOptions.TrimEntries);

    /// <summary>Names to offer to who has written another one; which of them a library knows is to be asked of it.</summary>
    public static IReadOnlyList<string> Usual { get; } =
    [
        "X25519", "P-256", "P-384", "P-521", "X448", "ffdhe2048", "ffdhe3072", "ffdhe4096", "X25519MLKEM768", "SecP256r1MLKEM768", "SecP384r1MLKEM1024",
        "brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1",
    ];
}
