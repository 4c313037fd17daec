using System.Net.Security;

namespace KestrelStream.Tls;

/// <summary>What suites are made of, and what words of a cipher string ask for.</summary>
internal static partial class CipherString
{
    /// <summary>Key exchange.</summary>
    [Flags]
    internal enum Kx
    {
        Any = 0,
        Rsa = 1,
        Dhe = 2,
        Ecdhe = 4,
        Psk = 8,
        RsaPsk = 16,
        DhePsk = 32,
        EcdhePsk = 64,
        Srp = 128,
    }

    /// <summary>How the server proves who it is.</summary>
    [Flags]
    internal enum Auth
    {
        Any = 0,
        Rsa = 1,
        Ecdsa = 2,
        Dss = 4,
        Psk = 8,
        Srp = 16,
        None = 32,
        Authenticated = Rsa | Ecdsa | Dss | Psk | Srp,
    }

    /// <summary>Encryption of records.</summary>
    [Flags]
    internal enum Enc
    {
        Any = 0,
        Null = 1,
        Aes128Cbc = 2,
        Aes256Cbc = 4,
        Aes128Gcm = 8,
        Aes256Gcm = 16,
        Aes128Ccm = 32,
        Aes256Ccm = 64,
        Aes128Ccm8 = 128,
        Aes256Ccm8 = 256,
        ChaCha20 = 512,
        Camellia128 = 1024,
        Camellia256 = 2048,
        Aria128 = 4096,
        Aria256 = 8192,
        Bits256 = Aes256Cbc | Aes256Gcm | Aes256Ccm | Aes256Ccm8 | ChaCha20 | Camellia256 | Aria256,
        Encrypted = Bits256 | Aes128Cbc | Aes128Gcm | Aes128Ccm | Aes128Ccm8 | Camellia128 | Aria128,
    }

    /// <summary>Integrity of records.</summary>
    [Flags]
    internal enum Mac
    {
        Any = 0,
        Aead = 1,
        Md5 = 2,
        Sha1 = 4,
        Sha256 = 8,
        Sha384 = 16,
    }

    /// <summary>The version that brought a suite.</summary>
    internal enum Introduced
    {
        Any,
        Ssl30,
        Tls10,
        Tls12,
    }

    /// <summary>Strength classes, of which a word names one, and whether DEFAULT leaves the suite out.</summary>
    [Flags]
    internal enum Class
    {
        None = 0,
        Low = 1,
        Medium = 2,
        High = 4,
        Fips = 8,
        AnyStrength = Low | Medium | High | Fips,
        NotDefault = 16,
    }

    /// <summary>A suite under OpenSSL's name for it.</summary>
    internal sealed record Suite(string Name, TlsCipherSuite Id, Kx Kx, Auth Auth, Enc Enc, Mac Mac, Introduced Introduced, Class Class)
    {
        public int StrengthBits => Enc == Enc.Null ? 0 : (Enc & Enc.Bits256) != 0 ? 256 : 128;
    }

    /// <summary>Which suites a rule is about: those that have something of every part that is given. A part that is zero is not asked for.</summary>
    internal readonly record struct Pattern(
        Kx Kx = Kx.Any, Auth Auth = Auth.Any, Enc Enc = Enc.Any, Mac Mac = Mac.Any, Introduced Introduced = Introduced.Any, Class Class = Class.None)
    {
        public bool Matches(Suite suite) =>
            (Kx == Kx.Any || (Kx & suite.Kx) != 0)
            && (Auth == Auth.Any || (Auth & suite.Auth) != 0)
            && (Enc == Enc.Any || (Enc & suite.Enc) != 0)
            && (Mac == Mac.Any || (Mac & suite.Mac) != 0)
            && (Introduced == Introduced.Any || Introduced == suite.Introduced)
            && ((Class & Class.AnyStrength) == 0 || (Class & Class.AnyStrength & suite.Class) != 0)
            && ((Class & Class.NotDefault) == 0 || (suite.Class & Class.NotDefault) != 0);

        /// <summary>The <c>A+B</c> of a cipher string: what both ask for. False when they contradict each other; OpenSSL then ignores the rule.</summary>
        public bool TryAnd(Pattern other, out Pattern both)
        {
            var kx = Kx == Kx.Any || other.Kx == Kx.Any ? Kx | other.Kx : Kx & other.Kx;
            var auth = Auth == Auth.Any || other.Auth == Auth.Any ? Auth | other.Auth : Auth & other.Auth;
            var enc = Enc == Enc.Any || other.Enc == Enc.Any ? Enc | other.Enc : Enc & other.Enc;
            var mac = Mac == Mac.Any || other.Mac == Mac.Any ? Mac | other.Mac : Mac & other.Mac;
            var introduced = Introduced == Introduced.Any ? other.Introduced : Introduced;

            var strength = Class & Class.AnyStrength;
            var otherStrength = other.Class & Class.AnyStrength;
            var notDefault = (Class | other.Class) & Class.NotDefault;
            if (strength == 0 && otherStrength != 0)
            {
                // OpenSSL's own quirk: the first strength class drops a COMPLEMENTOFDEFAULT that stands before it.
                notDefault = other.Class & Class.NotDefault;
            }

            var bothStrength = strength == 0 || otherStrength == 0 ? strength | otherStrength : strength & otherStrength;
            both = new Pattern(kx, auth, enc, mac, introduced, bothStrength | notDefault);
            return Agree((int)Kx, (int)other.Kx, (int)kx)
                && Agree((int)Auth, (int)other.Auth, (int)auth)
                && Agree((int)Enc, (int)other.Enc, (int)enc)
                && Agree((int)Mac, (int)other.Mac, (int)mac)
                && Agree((int)strength, (int)otherStrength, (int)bothStrength)
                && (Introduced == Introduced.Any || other.Introduced == Introduced.Any || Introduced == other.Introduced);

            static bool Agree(int left, int right, int result) => result != 0 || (left == 0 && right == 0);
        }
    }
}
