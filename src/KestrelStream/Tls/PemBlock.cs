using System.Security.Cryptography;

namespace KestrelStream.Tls;

/// <summary>One <c>BEGIN</c>…<c>END</c> block of a PEM file (RFC 7468).</summary>
internal readonly record struct PemBlock(string Label, string Text)
{
    // 1.2.840.113549.1.1.1, rsaEncryption, DER.
    private static readonly byte[] s_rsaOid = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

    private const string Begin = "-----BEGIN ";

    public bool IsCertificate => Label is "CERTIFICATE" or "X509 CERTIFICATE";

    public bool IsKey => Label.EndsWith("PRIVATE KEY", StringComparison.Ordinal);

    public bool IsEncryptedKey => Label == "ENCRYPTED PRIVATE KEY";

    /// <summary>
    /// Of a key: false = it is RSA for sure. PKCS#8 names the kind inside; to try the wrong one first costs an exception for each of thousands of keys.
    /// </summary>
    public bool MayBeEcdsa => Label != "RSA PRIVATE KEY" && (Label != "PRIVATE KEY" || Decode().AsSpan().IndexOf(s_rsaOid) < 0);

    /// <summary>Whether the bytes of a file are meant as PEM, whole or not.</summary>
    public static bool IsPem(ReadOnlySpan<byte> content) => content.IndexOf("-----BEGIN "u8) >= 0;

    public byte[] Decode()
    {
        var fields = PemEncoding.Find(Text);
        return Convert.FromBase64String(Text[fields.Base64Data]);
    }

    /// <summary>All blocks in their order. False when one of them is cut off or damaged, as in a file that is still being written.</summary>
    public static bool TryReadAll(string text, out List<PemBlock> blocks)
    {
        blocks = [];
        var rest = text.AsSpan();
        while (PemEncoding.TryFind(rest, out var fields))
        {
            blocks.Add(new PemBlock(rest[fields.Label].ToString(), rest[fields.Location].ToString()));
            rest = rest[fields.Location.End..];
        }

        // PemEncoding passes over what it cannot read; every beginning must have become a block.
        return text.AsSpan().Count(Begin) == blocks.Count;
    }
}
