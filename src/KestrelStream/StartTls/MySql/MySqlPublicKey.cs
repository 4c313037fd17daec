using System.Security.Cryptography;
using System.Text;

namespace KestrelStream.StartTls.MySql;

/// <summary>How a password goes to a server that sees no TLS: hidden by the scramble, then encrypted with the server's key. Pure; any thread.</summary>
internal static class MySqlPublicKey
{
    /// <summary>A key of 8192 bits has 1.4 KB; one that is larger would keep others waiting.</summary>
    private const int MaxPemBytes = 2048;

    /// <param name="pem">As the server has sent it.</param>
    /// <param name="password">With the NUL at its end. Overwritten.</param>
    /// <param name="scramble">The server's last one.</param>
    /// <returns>Null = that is no RSA key, or the password is too long for it.</returns>
    public static byte[]? Encrypt(ReadOnlySpan<byte> pem, Span<byte> password, ReadOnlySpan<byte> scramble)
    {
        for (var i = 0; i < password.Length; i++)
        {
            password[i] ^= scramble[i % scramble.Length];
        }

        if (pem.Length > MaxPemBytes)
        {
            return null;
        }

        try
        {
            using var key = RSA.Create();
            key.ImportFromPem(Encoding.ASCII.GetString(pem));
            return key.Encrypt(password, RSAEncryptionPadding.OaepSHA1);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // There is no other way to be told.
            return null;
        }
    }
}
