using System.Collections.Frozen;

namespace KestrelStream.Tls;

internal static partial class CipherString
{
    private const Enc Aes128 = Enc.Aes128Cbc | Enc.Aes128Gcm | Enc.Aes128Ccm | Enc.Aes128Ccm8;
    private const Enc Aes256 = Enc.Aes256Cbc | Enc.Aes256Gcm | Enc.Aes256Ccm | Enc.Aes256Ccm8;
    private const Enc Ccm8 = Enc.Aes128Ccm8 | Enc.Aes256Ccm8;

    /// <summary>The words of ciphers(1) and what they stand for. They are case-sensitive there, so here too.</summary>
    private static readonly (string Word, Pattern Pattern)[] Groups =
    [
        ("ALL", new(Enc: Enc.Encrypted)),
        ("COMPLEMENTOFALL", new(Enc: Enc.Null)),
        ("COMPLEMENTOFDEFAULT", new(Class: Class.NotDefault)),
        ("HIGH", new(Class: Class.High)),
        ("MEDIUM", new(Class: Class.Medium)),
        ("LOW", new(Class: Class.Low)),
        ("FIPS", new(Enc: Enc.Encrypted, Class: Class.Fips)),

        ("kRSA", new(Kx.Rsa)),
        ("RSA", new(Kx.Rsa, Auth.Rsa)),
        ("kDHE", new(Kx.Dhe)),
        ("kEDH", new(Kx.Dhe)),
        ("DH", new(Kx.Dhe)),
        ("DHE", new(Kx.Dhe, Auth.Authenticated)),
        ("EDH", new(Kx.Dhe, Auth.Authenticated)),
        ("ADH", new(Kx.Dhe, Auth.None)),
        ("kECDHE", new(Kx.Ecdhe)),
        ("kEECDH", new(Kx.Ecdhe)),
        ("ECDH", new(Kx.Ecdhe)),
        ("ECDHE", new(Kx.Ecdhe, Auth.Authenticated)),
        ("EECDH", new(Kx.Ecdhe, Auth.Authenticated)),
        ("AECDH", new(Kx.Ecdhe, Auth.None)),
        ("kPSK", new(Kx.Psk)),
        ("kRSAPSK", new(Kx.RsaPsk)),
        ("kDHEPSK", new(Kx.DhePsk)),
        ("kECDHEPSK", new(Kx.EcdhePsk)),
        ("PSK", new(Kx.Psk | Kx.RsaPsk | Kx.DhePsk | Kx.EcdhePsk)),
        ("kSRP", new(Kx.Srp)),
        ("SRP", new(Kx.Srp)),

        ("aRSA", new(Auth: Auth.Rsa)),
        ("aECDSA", new(Auth: Auth.Ecdsa)),
        ("ECDSA", new(Auth: Auth.Ecdsa)),
        ("aDSS", new(Auth: Auth.Dss)),
        ("DSS", new(Auth: Auth.Dss)),
        ("aPSK", new(Auth: Auth.Psk)),
        ("aSRP", new(Auth: Auth.Srp)),
        ("aNULL", new(Auth: Auth.None)),

        ("AES", new(Enc: Aes128 | Aes256)),
        ("AES128", new(Enc: Aes128)),
        ("AES256", new(Enc: Aes256)),
        ("AESGCM", new(Enc: Enc.Aes128Gcm | Enc.Aes256Gcm)),
        ("AESCCM", new(Enc: Enc.Aes128Ccm | Enc.Aes256Ccm | Ccm8)),
        ("AESCCM8", new(Enc: Ccm8)),
        ("CHACHA20", new(Enc: Enc.ChaCha20)),
        ("CAMELLIA", new(Enc: Enc.Camellia128 | Enc.Camellia256)),
        ("CAMELLIA128", new(Enc: Enc.Camellia128)),
        ("CAMELLIA256", new(Enc: Enc.Camellia256)),
        ("ARIA", new(Enc: Enc.Aria128 | Enc.Aria256)),
        ("ARIAGCM", new(Enc: Enc.Aria128 | Enc.Aria256)),
        ("ARIA128", new(Enc: Enc.Aria128)),
        ("ARIA256", new(Enc: Enc.Aria256)),
        ("CBC", new(Enc: Enc.Aes128Cbc | Enc.Aes256Cbc | Enc.Camellia128 | Enc.Camellia256)),
        ("eNULL", new(Enc: Enc.Null)),
        ("NULL", new(Enc: Enc.Null)),

        ("MD5", new(Mac: Mac.Md5)),
        ("SHA", new(Mac: Mac.Sha1)),
        ("SHA1", new(Mac: Mac.Sha1)),
        ("SHA256", new(Mac: Mac.Sha256)),
        ("SHA384", new(Mac: Mac.Sha384)),

        ("SSLv3", new(Introduced: Introduced.Ssl30)),
        ("TLSv1", new(Introduced: Introduced.Tls10)),
        ("TLSv1.0", new(Introduced: Introduced.Tls10)),
        ("TLSv1.2", new(Introduced: Introduced.Tls12)),
    ];

    /// <summary>
    /// Words that are right but choose nothing any more: what OpenSSL 1.0 knew, what Debian builds without, and the suites of TLS 1.3,
    /// which such a string does not rule. Strings in use are full of them (<c>!EXPORT:!DES:!RC4</c>), so they are no mistake.
    /// </summary>
    private static readonly FrozenSet<string> Retired = FrozenSet.Create(
        StringComparer.Ordinal,
        "EXP", "EXPORT", "EXPORT40", "EXPORT56", "DES", "3DES", "RC2", "RC4", "IDEA", "SEED", "SSLv2",
        "DHr", "DHd", "kDH", "kDHr", "kDHd", "aDH", "kECDH", "kECDHe", "kECDHr", "aECDH",
        "FZA", "kFZA", "aFZA", "eFZA", "KRB5", "kKRB5", "aKRB5",
        "GOST", "kGOST", "kGOST18", "aGOST", "aGOST01", "aGOST12", "GOST12", "GOST89", "GOST89MAC", "GOST89MAC12", "GOST94",
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256",
        "DES-CBC-SHA", "DES-CBC-MD5", "DES-CBC3-SHA", "DES-CBC3-MD5", "RC4-MD5", "RC4-SHA", "RC4-64-MD5", "RC2-CBC-MD5", "IDEA-CBC-SHA", "IDEA-CBC-MD5", "SEED-SHA",
        "EXP-DES-CBC-SHA", "EXP-RC2-CBC-MD5", "EXP-RC4-MD5", "EXP1024-DES-CBC-SHA", "EXP1024-RC4-SHA",
        "EDH-RSA-DES-CBC-SHA", "EDH-RSA-DES-CBC3-SHA", "EDH-DSS-DES-CBC-SHA", "EDH-DSS-DES-CBC3-SHA", "EXP-EDH-RSA-DES-CBC-SHA", "EXP-EDH-DSS-DES-CBC-SHA",
        "DHE-RSA-DES-CBC3-SHA", "DHE-DSS-DES-CBC3-SHA", "DHE-RSA-SEED-SHA", "DHE-DSS-SEED-SHA", "DHE-DSS-RC4-SHA",
        "ADH-DES-CBC-SHA", "ADH-DES-CBC3-SHA", "ADH-RC4-MD5", "ADH-SEED-SHA", "EXP-ADH-DES-CBC-SHA", "EXP-ADH-RC4-MD5",
        "ECDHE-RSA-RC4-SHA", "ECDHE-RSA-DES-CBC3-SHA", "ECDHE-ECDSA-RC4-SHA", "ECDHE-ECDSA-DES-CBC3-SHA", "AECDH-RC4-SHA", "AECDH-DES-CBC3-SHA",
        "ECDH-RSA-NULL-SHA", "ECDH-RSA-RC4-SHA", "ECDH-RSA-DES-CBC3-SHA", "ECDH-RSA-AES128-SHA", "ECDH-RSA-AES256-SHA",
        "ECDH-RSA-AES128-SHA256", "ECDH-RSA-AES256-SHA384", "ECDH-RSA-AES128-GCM-SHA256", "ECDH-RSA-AES256-GCM-SHA384",
        "ECDH-ECDSA-NULL-SHA", "ECDH-ECDSA-RC4-SHA", "ECDH-ECDSA-DES-CBC3-SHA", "ECDH-ECDSA-AES128-SHA", "ECDH-ECDSA-AES256-SHA",
        "ECDH-ECDSA-AES128-SHA256", "ECDH-ECDSA-AES256-SHA384", "ECDH-ECDSA-AES128-GCM-SHA256", "ECDH-ECDSA-AES256-GCM-SHA384",
        "KRB5-DES-CBC-SHA", "KRB5-DES-CBC-MD5", "KRB5-DES-CBC3-SHA", "KRB5-DES-CBC3-MD5", "KRB5-RC4-SHA", "KRB5-RC4-MD5", "KRB5-IDEA-CBC-SHA", "KRB5-IDEA-CBC-MD5",
        "PSK-RC4-SHA", "PSK-3DES-EDE-CBC-SHA", "DHE-PSK-RC4-SHA", "DHE-PSK-3DES-EDE-CBC-SHA", "RSA-PSK-RC4-SHA", "RSA-PSK-3DES-EDE-CBC-SHA",
        "ECDHE-PSK-RC4-SHA", "ECDHE-PSK-3DES-EDE-CBC-SHA", "SRP-3DES-EDE-CBC-SHA", "SRP-RSA-3DES-EDE-CBC-SHA", "SRP-DSS-3DES-EDE-CBC-SHA");

    /// <summary>Apart because the order in which the parts of a partial class are initialised is not defined.</summary>
    private static class Dictionary
    {
        public static readonly FrozenDictionary<string, Pattern> Words = Suites
            .Select(suite => (Word: suite.Name, Pattern: new Pattern(suite.Kx, suite.Auth, suite.Enc, suite.Mac, Introduced.Any, suite.Class)))
            .Concat(Groups)
            .ToFrozenDictionary(item => item.Word, item => item.Pattern, StringComparer.Ordinal);
    }
}
