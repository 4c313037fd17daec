using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KestrelStream.Acme.Protocol;
using Xunit;

namespace KestrelStream.Tests.Acme;

public class SignedMessageTests
{
    private static readonly Uri Url = new("https://acme.test/order");

    [Fact]
    public void Sign_WithAccount_HeaderNamesItAndSignatureIsOfTheKey()
    {
        using var key = AccountKey.Create();

        using var message = JsonDocument.Parse(SignedMessage.Sign(key, "https://acme.test/account/1", "n0", Url, "{\"a\":1}"u8));

        using var header = Decode(message, "protected");
        Assert.Equal(
            """{"alg":"ES256","kid":"https://acme.test/account/1","nonce":"n0","url":"https://acme.test/order"}""",
            header.RootElement.GetRawText());
        using var payload = Decode(message, "payload");
        Assert.Equal(1, payload.RootElement.GetProperty("a").GetInt32());
        using var verifier = ECDsa.Create();
        verifier.ImportFromPem(key.ToPem());
        Assert.True(verifier.VerifyData(
            Encoding.ASCII.GetBytes($"{Text(message, "protected")}.{Text(message, "payload")}"),
            Base64Url.DecodeFromChars(Text(message, "signature")),
            HashAlgorithmName.SHA256,
            DSASignatureFormat.IeeeP1363FixedFieldConcatenation));
    }

    [Fact]
    public void Sign_WithoutAccount_HeaderHasTheKey_AndEmptyPayloadIsEmptyText()
    {
        using var key = AccountKey.Create();

        using var message = JsonDocument.Parse(SignedMessage.Sign(key, null, "n0", Url, []));

        Assert.Equal("", Text(message, "payload"));
        using var header = Decode(message, "protected");
        var jwk = header.RootElement.GetProperty("jwk");
        Assert.Equal(["crv", "kty", "x", "y"], jwk.EnumerateObject().Select(member => member.Name));
        Assert.False(header.RootElement.TryGetProperty("kid", out _));
        Assert.Equal(Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(jwk.GetRawText()))), key.Thumbprint);
    }

    /// <summary>The key of RFC 7515 appendix A.3; its thumbprint was computed from its text with sha256sum.</summary>
    [Fact]
    public void Thumbprint_KnownKey_IsThatOfRfc7638()
    {
        using var ecdsa = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256,
            D = Base64Url.DecodeFromChars("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"),
            Q = new ECPoint
            {
                X = Base64Url.DecodeFromChars("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
                Y = Base64Url.DecodeFromChars("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
            },
        });
        using var key = AccountKey.FromPem(ecdsa.ExportPkcs8PrivateKeyPem())!;

        Assert.Equal("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U", key.Thumbprint);
        Assert.Equal("token.oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U", key.Authorize("token"));
    }

    [Fact]
    public void Bind_ExternalAccount_IsSignedWithItsKeyOverOurs()
    {
        using var key = AccountKey.Create();
        var secret = "0123456789abcdef"u8.ToArray();

        using var message = JsonDocument.Parse(SignedMessage.Bind(key, "kid-1", secret, Url));

        using var header = Decode(message, "protected");
        Assert.Equal("""{"alg":"HS256","kid":"kid-1","url":"https://acme.test/order"}""", header.RootElement.GetRawText());
        Assert.Equal(
            Base64Url.EncodeToString(HMACSHA256.HashData(secret, Encoding.ASCII.GetBytes($"{Text(message, "protected")}.{Text(message, "payload")}"))),
            Text(message, "signature"));
        using var payload = Decode(message, "payload");
        Assert.Equal("EC", payload.RootElement.GetProperty("kty").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----")]
    public void FromPem_NoKey_IsNull(string pem) => Assert.Null(AccountKey.FromPem(pem));

    private static string Text(JsonDocument message, string member) => message.RootElement.GetProperty(member).GetString()!;

    private static JsonDocument Decode(JsonDocument message, string member) => JsonDocument.Parse(Base64Url.DecodeFromChars(Text(message, member)));
}
