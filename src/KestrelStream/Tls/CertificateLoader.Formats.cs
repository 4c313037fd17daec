using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelStream.Configuration;

namespace KestrelStream.Tls;

/// <summary>The forms in which certificates and keys come: PEM with PKCS#1, SEC 1, PKCS#8, encrypted PKCS#8; PKCS#12 (PFX).</summary>
internal sealed partial class CertificateLoader
{
    // ERROR_INVALID_PASSWORD as an HRESULT: what .NET gives a wrong PKCS#12 password on every operating system.
    private const int InvalidPassword = unchecked((int)0x80070056);

    private CertificateError? ReadPem(byte[] content)
    {
        if (ReadBlocks(nameof(_config.Path), _path, content, out var blocks) is { } error)
        {
            return error;
        }

        var certificates = blocks.FindAll(block => block.IsCertificate);
        if (certificates.Count == 0)
        {
            return Error(nameof(_config.Path), $"'{_path}' holds no certificate") with { IsHalf = blocks.Count > 0 };
        }

        var number = 1;
        try
        {
            _leaf = X509CertificateLoader.LoadCertificate(certificates[0].Decode());
            foreach (var block in certificates.Skip(1))
            {
                number++;
                _others.Add(ChainCertificate.Of(block.Decode()));
            }
        }
        catch (CryptographicException e)
        {
            return Error(nameof(_config.Path), $"certificate {number} of '{_path}' is damaged: {e.Message}");
        }

        return ReadPemKey(blocks, out var key) ?? (_key is null ? Join(key!) : null);
    }

    private CertificateError? ReadBlocks(string key, string path, byte[] content, out List<PemBlock> blocks)
    {
        // What stands around the blocks may be in any encoding; Latin-1 takes every byte.
        var text = Encoding.Latin1.GetString(content);
        if (PemBlock.TryReadAll(text, out blocks))
        {
            return null;
        }

        return text.Contains("Proc-Type: 4,ENCRYPTED", StringComparison.Ordinal)
            ? Error(key, $"the key in '{path}' is encrypted in OpenSSL's old form; convert it with 'openssl pkcs8 -topk8'")
            : Error(key, $"a PEM block of '{path}' is cut off or damaged");
    }

    /// <summary>The key, still to be compared with the certificate; or none where it is compared and kept already.</summary>
    private CertificateError? ReadPemKey(List<PemBlock> blocks, out AsymmetricAlgorithm? key)
    {
        key = null;
        var (configKey, path) = (nameof(_config.Path), _path);
        if (_keyPath is not null)
        {
            (configKey, path) = (nameof(_config.KeyPath), _keyPath);
            if ((ReadFile(configKey, path, out var content) ?? ReadBlocks(configKey, path, content, out blocks)) is { } error)
            {
                return error;
            }
        }

        if (blocks.Find(block => block.IsKey) is not { Label: not null } block)
        {
            return _keyPath is null
                ? Error(configKey, $"'{path}' holds no private key, and no KeyPath is set") with { IsHalf = true }
                : Error(configKey, $"'{path}' holds no PEM private key");
        }

        if (block.IsEncryptedKey && _config.Password is null)
        {
            return Error(nameof(_config.Password), $"the private key in '{path}' is encrypted, and no Password is set");
        }

        if (block.Label == "PRIVATE KEY" && block.Decode() is var der && Pkcs8Key.BitsIfOf(_leaf!, der) is > 0 and var bits)
        {
            (_key, _keyBits) = (der, bits);
            return null;
        }

        key = block.MayBeEcdsa ? Import(block, ECDsa.Create()) ?? (AsymmetricAlgorithm?)Import(block, RSA.Create()) : Import(block, RSA.Create());
        if (key is not null)
        {
            return null;
        }

        return block.IsEncryptedKey
            ? Error(nameof(_config.Password), $"wrong password for the private key in '{path}', or it is neither an RSA nor an ECDSA key")
            : Error(configKey, $"the private key in '{path}' is damaged, or it is neither an RSA nor an ECDSA key");
    }

    private T? Import<T>(PemBlock block, T key) where T : AsymmetricAlgorithm
    {
        try
        {
            if (block.IsEncryptedKey)
            {
                key.ImportFromEncryptedPem(block.Text, _config.Password);
            }
            else
            {
                key.ImportFromPem(block.Text);
            }

            return key;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            // Only trying tells of what kind an encrypted key is.
            key.Dispose();
            return null;
        }
    }

    private CertificateError? Join(AsymmetricAlgorithm key)
    {
        using (key)
        {
            // The same bytes are the same key; where they differ it may still be another writing of it, which takes the library longer to find out.
            if (key.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(_leaf!.PublicKey.ExportSubjectPublicKeyInfo()) || Belongs(key, _leaf!))
            {
                _key = key.ExportPkcs8PrivateKey();
                _keyBits = key.KeySize;
                return null;
            }

            for (var i = 0; i < _others.Count; i++)
            {
                using var other = X509CertificateLoader.LoadCertificate(_others[i].Der);
                if (Belongs(key, other))
                {
                    return Error(nameof(_config.Path), $"certificate {i + 2} of '{_path}' is the one that belongs to the private key; it must stand first");
                }
            }
        }

        return _keyPath is null
            ? Error(nameof(_config.Path), $"the private key in '{_path}' does not match the certificate there")
            : Error(nameof(_config.KeyPath), $"the private key in '{_keyPath}' does not match the certificate in '{_path}'");
    }

    private static bool Belongs(AsymmetricAlgorithm key, X509Certificate2 certificate)
    {
        try
        {
            using var joined = key is RSA rsa ? certificate.CopyWithPrivateKey(rsa) : certificate.CopyWithPrivateKey((ECDsa)key);
            return true;
        }
        catch (ArgumentException)
        {
            return false; // Another key, or one of another kind.
        }
    }

    private CertificateError? ReadPfx(byte[] content)
    {
        X509Certificate2Collection certificates;
        try
        {
            certificates = X509CertificateLoader.LoadPkcs12Collection(content, _config.Password, X509KeyStorageFlags.Exportable);
        }
        catch (CryptographicException e) when (e.HResult == InvalidPassword)
        {
            return Error(nameof(_config.Password), _config.Password is null ? $"'{_path}' needs a password, and no Password is set" : $"wrong password for '{_path}'");
        }
        catch (CryptographicException)
        {
            return Error(nameof(_config.Path), $"'{_path}' is neither PEM nor PKCS#12 (PFX), or it is damaged");
        }

        if (certificates.Count == 0)
        {
            return Error(nameof(_config.Path), $"'{_path}' holds no certificate");
        }

        _leaf = certificates.FirstOrDefault(certificate => certificate.HasPrivateKey);
        if (_leaf is null)
        {
            return Error(nameof(_config.Path), $"'{_path}' holds no private key") with { IsHalf = true };
        }

        if (_keyPath is not null)
        {
            return Error(nameof(_config.KeyPath), $"'{_path}' is a PKCS#12 file (PFX) and holds its key itself; leave KeyPath out");
        }

        using AsymmetricAlgorithm? key = _leaf.GetRSAPrivateKey() ?? (AsymmetricAlgorithm?)_leaf.GetECDsaPrivateKey();
        (_key, _keyBits) = (key?.ExportPkcs8PrivateKey() ?? [], key?.KeySize ?? 0);
        foreach (var certificate in certificates.Where(certificate => certificate != _leaf))
        {
            using (certificate)
            {
                _others.Add(ChainCertificate.Of(certificate.RawData));
            }
        }

        return null;
    }
}
