using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace KestrelStream.Acme.Protocol;

/// <summary>The key of an account: ECDSA on P-256, signs as ES256 (RFC 7518 §3.4). Thread-safe.</summary>
internal sealed class AccountKey : IDisposable
{
    private readonly ECDsa _key;
    private readonly string _x;
    private readonly string _y;

    private AccountKey(ECDsa key)
    {
        _key = key;
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        _x = Base64Url.EncodeToString(point.X);
        _y = Base64Url.EncodeToString(point.Y);

        // RFC 7638 §3: the members in this order, and no space.
        Thumbprint = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes($$"""{"crv":"P-256","kty":"EC","x":"{{_x}}","y":"{{_y}}"}""")));
    }

    /// <summary>Names the key in answers to challenges.</summary>
    public string Thumbprint { get; }

    public static AccountKey Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Null = it is no such key.</summary>
    public static AccountKey? FromPem(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            if (key.KeySize == 256)
            {
                return new AccountKey(key);
            }
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
        }

        key.Dispose();
        return null;
    }

    public string ToPem() => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>RFC 8555 §8.1: what a challenge is answered with.</summary>
    public string Authorize(string token) => $"{token}.{Thumbprint}";

    public void WritePublicKey(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteString("crv", "P-256");
        writer.WriteString("kty", "EC");
        writer.WriteString("x", _x);
        writer.WriteString("y", _y);
        writer.WriteEndObject();
    }

    public byte[] Sign(byte[] data)
    {
        lock (_key)
        {
            return _key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
    }

    public void Dispose() => _key.Dispose();
}
