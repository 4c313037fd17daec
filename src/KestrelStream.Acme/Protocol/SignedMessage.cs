using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace KestrelStream.Acme.Protocol;

/// <summary>JSON Web Signatures in flattened form (RFC 7515 §7.2.2), as ACME wants them. Pure.</summary>
internal static class SignedMessage
{
    /// <summary>The body of a POST.</summary>
    /// <param name="key">Signs.</param>
    /// <param name="account">URL of the account; null = the key itself is sent.</param>
    /// <param name="nonce">Of the authority, used once.</param>
    /// <param name="url">Where it is sent to.</param>
    /// <param name="payload">JSON; empty = the POST stands for a GET (RFC 8555 §6.3).</param>
    public static byte[] Sign(AccountKey key, string? account, string nonce, Uri url, ReadOnlySpan<byte> payload)
    {
        var header = Json(writer =>
        {
            writer.WriteString("alg", "ES256");
            if (account is null)
            {
                writer.WritePropertyName("jwk");
                key.WritePublicKey(writer);
            }
            else
            {
                writer.WriteString("kid", account);
            }

            writer.WriteString("nonce", nonce);
            writer.WriteString("url", url.AbsoluteUri);
        });
        return Flatten(header, payload, key.Sign);
    }

    /// <summary>Says to the authority that an account of its own and a new one are the same (RFC 8555 §7.3.4).</summary>
    /// <param name="key">Of the new account.</param>
    /// <param name="keyId">Of the authority's account.</param>
    /// <param name="hmacKey">Of that, too.</param>
    /// <param name="url">Where accounts are made.</param>
    public static byte[] Bind(AccountKey key, string keyId, byte[] hmacKey, Uri url)
    {
        var header = Json(writer =>
        {
            writer.WriteString("alg", "HS256");
            writer.WriteString("kid", keyId);
            writer.WriteString("url", url.AbsoluteUri);
        });
        var payload = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(payload))
        {
            key.WritePublicKey(writer);
        }

        return Flatten(header, payload.WrittenSpan, data => HMACSHA256.HashData(hmacKey, data));
    }

    /// <summary>An object, without indentation.</summary>
    public static byte[] Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] Flatten(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload, Func<byte[], byte[]> sign)
    {
        var (protectedText, payloadText) = (Base64Url.EncodeToString(header), Base64Url.EncodeToString(payload));
        var signature = sign(Encoding.ASCII.GetBytes($"{protectedText}.{payloadText}"));
        return Json(writer =>
        {
            writer.WriteString("protected", protectedText);
            writer.WriteString("payload", payloadText);
            writer.WriteString("signature", Base64Url.EncodeToString(signature));
        });
    }
}
