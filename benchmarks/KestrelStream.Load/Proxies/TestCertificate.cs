using KestrelStream.Load.Client;

namespace KestrelStream.Load.Proxies;

/// <summary>A self-signed ECDSA P-256 certificate made for this run.</summary>
/// <param name="CertificatePath">PEM certificate.</param>
/// <param name="KeyPath">PEM private key.</param>
/// <param name="CombinedPath">Both in one file, as HAProxy wants them.</param>
internal sealed record TestCertificate(string CertificatePath, string KeyPath, string CombinedPath)
{
    public static TestCertificate Create(string directory)
    {
        string certificate = Path.Combine(directory, "certificate.pem");
        string key = Path.Combine(directory, "key.pem");
        string combined = Path.Combine(directory, "combined.pem");
        _ = Command.Output(
            "openssl",
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", $"/CN={TlsContext.ServerName}", "-addext", $"subjectAltName=DNS:{TlsContext.ServerName}",
            "-keyout", key, "-out", certificate);
        File.WriteAllText(combined, File.ReadAllText(certificate) + File.ReadAllText(key));
        return new TestCertificate(certificate, key, combined);
    }
}
