using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.Tls;

/// <summary>
/// Compares a PKCS#8 private key (RFC 5958) with a certificate by the public half that it holds, as OpenSSL does. To import one costs most of a millisecond, and
/// there may be ten thousands of them. Pure.
/// </summary>
internal static class Pkcs8Key
{
    private const string EcdsaOid = "1.2.840.10045.2.1";

    /// <summary>Size of the key in bits; 0 = it is not the certificate's, or only an import can tell.</summary>
    public static int BitsIfOf(X509Certificate2 certificate, byte[] der)
    {
        try
        {
            var info = new AsnReader(der, AsnEncodingRules.DER);
            var key = info.ReadSequence();
            info.ThrowIfNotEmpty();
            if (!key.TryReadInt32(out var version) || version is not (0 or 1))
            {
                return 0;
            }

            var algorithm = key.ReadSequence();
            var oid = algorithm.ReadObjectIdentifier();
            var parameters = algorithm.ReadEncodedValue();
            var content = key.ReadOctetString();
            return oid != certificate.GetKeyAlgorithm() ? 0
                : oid == CertificateLoader.RsaOid ? RsaBits(content, certificate.GetPublicKey())
                : oid == EcdsaOid && parameters.Span.SequenceEqual(certificate.GetKeyAlgorithmParameters()) ? EcdsaBits(parameters, content, certificate.GetPublicKey())
                : 0;
        }
        catch (AsnContentException)
        {
            return 0;
        }
    }

    /// <summary>RFC 8017 appendix A.1.2. The factors must be those of the modulus.</summary>
    private static int RsaBits(byte[] content, byte[] publicKey)
    {
        var fields = new AsnReader(content, AsnEncodingRules.DER).ReadSequence();
        var shown = new AsnReader(publicKey, AsnEncodingRules.DER).ReadSequence();
        if (!fields.TryReadInt32(out var version) || version != 0)
        {
            return 0;
        }

        var (modulus, exponent) = (fields.ReadInteger(), fields.ReadInteger());
        _ = fields.ReadInteger();
        return modulus == shown.ReadInteger() && exponent == shown.ReadInteger() && modulus.Sign > 0 && fields.ReadInteger() * fields.ReadInteger() == modulus
            ? (int)modulus.GetBitLength()
            : 0;
    }

    /// <summary>RFC 5915 §3. Most programs write the public key; the ones that do not leave it to the import.</summary>
    private static int EcdsaBits(ReadOnlyMemory<byte> parameters, byte[] content, byte[] publicKey)
    {
        var publicTag = new Asn1Tag(TagClass.ContextSpecific, 1, isConstructed: true);
        var bits = new AsnReader(parameters, AsnEncodingRules.DER).ReadObjectIdentifier() switch
        {
            "1.2.840.10045.3.1.7" => 256,
            "1.3.132.0.34" => 384,
            "1.3.132.0.35" => 521,
            _ => 0,
        };
        var fields = new AsnReader(content, AsnEncodingRules.DER).ReadSequence();
        if (bits == 0 || !fields.TryReadInt32(out var version) || version != 1)
        {
            return 0;
        }

        var secret = new BigInteger(fields.ReadOctetString(), isUnsigned: true, isBigEndian: true);
        while (fields.HasData && fields.PeekTag() != publicTag)
        {
            fields.ReadEncodedValue();
        }

        return fields.HasData && fields.ReadSequence(publicTag).ReadBitString(out _).AsSpan().SequenceEqual(publicKey) && secret.Sign > 0 && secret.GetBitLength() <= bits ? bits : 0;
    }
}
