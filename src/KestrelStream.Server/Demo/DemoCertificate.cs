using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelStream.Server.Demo;

/// <summary>Self-signed certificates for a first run.</summary>
internal static class DemoCertificate
{
    /// <summary>Makes the pair of files when one of them is missing, or is about to expire.</summary>
    public static void Ensure(DemoOptions? demo, string basePath)
    {
        if (demo?.Certificate is not { Path.Length: > 0, KeyPath.Length: > 0 } files)
        {
            return;
        }

        var path = Path.Combine(basePath, files.Path);
        var keyPath = Path.Combine(basePath, files.KeyPath);
        if (File.Exists(path) && File.Exists(keyPath) && !IsExpiring(path))
        {
            return;
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var certificate = Create(files.Name);
        File.WriteAllText(path, certificate.ExportCertificatePem() + "\n");
        File.WriteAllText(keyPath, certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem() + "\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(keyPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
    }

    public static X509Certificate2 Create(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddYears(1));
    }

    private static bool IsExpiring(string path)
    {
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(path);
        return certificate.NotAfter < DateTime.Now.AddDays(1);
    }
}
