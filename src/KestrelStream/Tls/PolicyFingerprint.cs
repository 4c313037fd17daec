using System.Security.Cryptography;

namespace KestrelStream.Tls;

/// <summary>
/// Tells policies apart for as long as a session may be resumed: what was agreed on under one must never open another. The same on every proxy with the same
/// configuration and certificates, so that replicas can share ticket keys. Pure.
/// </summary>
internal static class PolicyFingerprint
{
    public static byte[] Of(TlsPolicyBasis basis, IReadOnlyList<CertificateEntry> certificates)
    {
        var config = basis.Config;
        using var bytes = new MemoryStream();

        // Lengths or counts stand before whatever can be long or missing: no two policies write the same.
        using var writer = new BinaryWriter(bytes);
        writer.Write(basis.Route.ToUpperInvariant());
        WriteAll(config.Protocols.Order().Select(version => version.ToString()));
        WriteAll([config.Ciphers ?? "", config.CipherSuites ?? "", config.Groups ?? ""]);
        writer.Write(config.PreferServerCiphers);
        WriteAll(config.Alpn);
        writer.Write((int)(config.ClientCertificates?.Mode ?? 0));
        writer.Write(config.ClientCertificates?.Depth ?? 0);
        writer.Write(config.ClientCertificates?.AsksOcsp ?? false);
        writer.Write(basis.Trust is not null);
        writer.Write(basis.Trust is { } trust ? trust.Digest : default);
        foreach (var certificate in certificates)
        {
            writer.Write(certificate.Fingerprint);
        }

        writer.Flush();
        return SHA256.HashData(bytes.ToArray());

        void WriteAll(IEnumerable<string> texts)
        {
            var all = texts.ToList();
            writer.Write(all.Count);
            all.ForEach(writer.Write);
        }
    }
}
